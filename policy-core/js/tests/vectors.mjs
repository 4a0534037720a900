// The golden cases, for tests in Node.
import { readFileSync } from "node:fs";

const { loads, cases } = JSON.parse(readFileSync(new URL("../../../tests/golden/vectors.json", import.meta.url), "utf8"));

/** The method that stands for each operation. */
export const methods = { 1: "load", 2: "evaluate", 3: "terms", 4: "eligible", 5: "compile", 6: "preview", 7: "console" };

/** Each case with its calls in order, on a fresh instance: `{name, steps: [{op, input, answer}]}`, input and answer as text. */
export const golden = cases.map(({ name, load, op, input, repeat = [], answer }) => ({
  name,
  steps: [...(load === undefined ? [] : [{ op: 1, ...loads[load] }]), { op, input: expanded(input, repeat), answer }],
}));

/** The input with each mark replaced by its text, so many times. */
function expanded(input, repeat) {
  return repeat.reduce((text, [mark, part, times]) => text.replaceAll(mark, () => part.repeat(times)), input);
}
