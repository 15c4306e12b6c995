import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** Both as PEM. */
export type Certificate = { readonly certificate: string; readonly privateKey: string };

/** A self-signed certificate for these names and addresses, valid for a year: clients trust it as its own authority. */
export async function makeCertificate(names: readonly string[]): Promise<Certificate> {
  const altNames = names.map((name) =>
    isIP(name) ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const),
  );
  const made = await generate([{ name: 'commonName', value: 'TradingView sandbox' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { certificate: made.cert, privateKey: made.private };
}
