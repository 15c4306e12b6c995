import { DockerfileParser } from 'dockerfile-ast';

/** One instruction as Docker reads it: flags (`--from=build`) apart from the rest, continuation lines joined. */
export interface Instruction {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** One `FROM … AS name` with what follows it. */
export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** The stages in their order. */
export function readDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  const lines = text.split('\n');
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    // The parser's own arguments leave flags out.
    const { start, end } = instruction.getRange();
    const whole = lines.slice(start.line, end.line + 1).join('\n');
    const { flags, rest } = splitFlags(whole.replace(/\\\n\s*/g, '').replace(/^\S+\s+/, ''));
    if (instruction.getKeyword() === 'FROM') {
      const [, from = '', name = ''] = /^(\S+)\s+AS\s+(\S+)$/i.exec(rest) ?? [];
      stages.push({ name, from, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ keyword: instruction.getKeyword(), flags, rest });
    }
  }
  return stages;
}

function splitFlags(words: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = words.trim();
  for (let flag = /^--\S+/.exec(rest); flag; flag = /^--\S+/.exec(rest)) {
    flags.push(flag[0]);
    rest = rest.slice(flag[0].length).trim();
  }
  return { flags, rest };
}
