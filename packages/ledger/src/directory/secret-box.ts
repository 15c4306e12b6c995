import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { DirectoryError } from './directory-error.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = '1';

/** Seals and opens short texts of one account. */
export interface SecretBox {
  /** `1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url. */
  seal(account: string, text: string): string;
  /** `stale`: it was sealed with the previous key. Errors: `DirectoryError` `SECRET_KEY_WRONG`. */
  open(account: string, sealed: string): { readonly text: string; readonly stale: boolean };
}

/**
 * AES-256-GCM with a random nonce a message; the account id is the associated data, so that a sealed text copied to another account does not
 * open there.
 * Errors: `DirectoryError` `SECRET_KEY_INVALID` when a key is not 32 bytes long.
 */
export function buildSecretBox(current: Buffer, previous?: Buffer): SecretBox {
  const keys = new Map<string, Buffer>();
  // The current key last: where both are the same it counts as current.
  for (const key of previous ? [previous, current] : [current]) {
    if (key.length !== KEY_BYTES) {
      throw new DirectoryError('SECRET_KEY_INVALID', `A secret key has ${KEY_BYTES} bytes, not ${key.length}.`);
    }
    keys.set(keyIdOf(key), key);
  }
  const currentId = keyIdOf(current);
  return {
    seal(account, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, current, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(account));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [FORMAT, currentId, nonce.toString('base64url'), body.toString('base64url')].join('.');
    },
    open(account, sealed) {
      const [format, keyId = '', nonce = '', body = ''] = sealed.split('.');
      const key = keys.get(keyId);
      if (format !== FORMAT || !key) throw wrongKey(account);
      try {
        const text = decrypt(key, account, Buffer.from(nonce, 'base64url'), Buffer.from(body, 'base64url'));
        return { text, stale: keyId !== currentId };
      } catch (cause) {
        throw wrongKey(account, cause);
      }
    },
  };
}

function decrypt(key: Buffer, account: string, nonce: Buffer, body: Buffer): string {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(account));
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
}

// A name for the key that says nothing of it.
function keyIdOf(key: Buffer): string {
  return createHmac('sha256', key).update('pinegate key id').digest('hex').slice(0, 8);
}

function wrongKey(account: string, cause?: unknown): DirectoryError {
  const message = `No configured secret key opens the session of account ${account}.`;
  return new DirectoryError('SECRET_KEY_WRONG', message, { account, cause });
}
