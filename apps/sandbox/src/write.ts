import type { IncomingHttpHeaders } from 'node:http';
import type { Account } from './accounts.ts';
import { type Answer, json } from './exchange.ts';
import type { Form } from './form.ts';
import type { Member, MemberList } from './member-list.ts';
import type { Options } from './options.ts';
import type { Parts } from './parts.ts';
import type { WriteOp, WriteResult } from './write-log.ts';

/** A write with a living session, as far as the member list is concerned. */
export type WriteCall = {
  readonly op: WriteOp;
  readonly form: Form;
  readonly account: Account;
  readonly exchange: { readonly headers: IncomingHttpHeaders };
  readonly arrivedAt: number;
  readonly overlap: boolean;
  readonly late: boolean;
};

type Decision = { readonly result: WriteResult; readonly applied: boolean; readonly answer: Answer };
type Target = {
  list: MemberList;
  username: string;
  sent: string;
  member: Member | undefined;
  expiration: number | null;
};

const OK = json(200, { status: 'ok' });
const DONE: Decision = { result: 'ok', applied: true, answer: OK };
const ADDED: Decision = { result: 'ok', applied: true, answer: json(201, { status: 'ok' }) };
const EXISTS: Decision = { result: 'exists', applied: false, answer: json(200, { status: 'exists' }) };
const NOT_EXISTS: Decision = { result: 'not_exists', applied: false, answer: json(200, { status: 'not_exists' }) };
const IGNORED: Decision = { result: 'ignored', applied: false, answer: OK };

/** The 422 for a script that is malformed or another account's. */
export const BAD_SCRIPT: Answer = json(422, { pine_id: ['Script not found.'] });

/** Applies `add`, `modify_user_expiration` or `remove` and logs it. */
export function write(call: WriteCall, parts: Parts): Answer {
  const at = parts.now();
  const { result, applied, answer } = decide(call, parts, at);
  const requestId = call.exchange.headers['x-request-id'];
  const entry = parts.writes.append(
    {
      at,
      arrivedAt: call.arrivedAt,
      account: call.account.id,
      op: call.op,
      pine_id: call.form.pine_id ?? '',
      username: call.form.username_recip ?? '',
      expiration: call.form.expiration ?? null,
      result,
      applied,
      requestId: typeof requestId === 'string' ? requestId : null,
      late: call.late,
      overlap: call.overlap,
    },
    parts.settings.current.writeLogSize,
  );
  parts.events.emit({ kind: 'write', entry });
  return answer;
}

function decide({ op, form, account }: WriteCall, parts: Parts, now: number): Decision {
  const { pine_id: pineId = '', username_recip: sent = '' } = form;
  const options = parts.settings.current;
  if (!account.scripts.includes(pineId)) return { result: 'bad_script', applied: false, answer: BAD_SCRIPT };
  if (sent === '') return invalid('username_recip', 'This field is required.');
  const expiration = parseExpiration(op === 'remove' ? undefined : form.expiration);
  if (expiration === undefined) return invalid('expiration', 'Datetime has wrong format.');
  const username = parts.usernames.canonical(sent);
  if (username === null || (options.caseSensitive && username !== sent)) return notFound(sent);
  const list = parts.membersOf(pineId);
  const target = { list, username, sent, member: presentMember(list, username, options, now), expiration };
  if (op === 'add') return add(target, now);
  return op === 'modify' ? modify(target, options) : remove(target, options);
}

function add({ list, username, member, expiration }: Target, now: number): Decision {
  if (member) return EXISTS;
  list.put(username, expiration, now);
  return ADDED;
}

function modify({ list, sent, member, expiration }: Target, options: Options): Decision {
  if (!member) return options.modifyNonMember === 'ok' ? IGNORED : notFound(sent);
  if (expiration === null && member.expiration !== null && options.datedToLifetime === 'ignored') return IGNORED;
  list.put(member.username, expiration, member.created);
  return DONE;
}

function remove({ list, sent, member }: Target, options: Options): Decision {
  if (!member) return options.removeAbsent === 'not_exists' ? NOT_EXISTS : notFound(sent);
  list.remove(member.username);
  return DONE;
}

/** Where expired users are not listed they are no members any more. */
function presentMember(list: MemberList, username: string, options: Options, now: number): Member | undefined {
  const member = list.get(username);
  if (!member || options.expiredListed || member.expiration === null || member.expiration > now) return member;
  list.remove(username);
  return undefined;
}

/** Null = lifetime, undefined = no date. */
function parseExpiration(text: string | undefined): number | null | undefined {
  if (text === undefined) return null;
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** One body for four causes: no such user, a wrong spelling, a modify on a non-member, a remove of an absent user. */
function notFound(sent: string): Decision {
  const body = { code: 'username_recip_not_found', detail: `User not found: ${sent}` };
  return { result: 'not_found', applied: false, answer: json(422, body) };
}

function invalid(field: string, text: string): Decision {
  return { result: 'invalid', applied: false, answer: json(422, { [field]: [text] }) };
}
