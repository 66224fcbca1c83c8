//! The times of an iteration, fitted to a load test.

use crate::schema::{Context, FileName, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::traffic::{Column, FileError, Order, Unit, read_column};

/// Times of an iteration fitted to a load test, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub fixed_s: f64,
    pub per_sequence_s: f64,
    /// Only if the load test measured the time to the first token.
    pub per_prefill_token_s: Option<f64>,
}

const FILE: Key<FileName> = Key::required(
    "file",
    "CSV file with a row for each level of load, which is the number of sequences at a time.",
);
const CONCURRENCY: Key<Column> = Key::or(
    "concurrency",
    "\"concurrency\"",
    "Column of the sequences at a time: its name, or its number from 1.",
);
const TPOT: Key<Column> =
    Key::or("tpot", "\"tpot\"", "Column of the mean time per output token after the first.");
const TTFT: Key<Option<Column>> = Key::optional(
    "ttft",
    "Column of the mean time to the first token; with `prompt_tokens`. Without them `per_prefill_token` is not fitted.",
);
const PROMPT_TOKENS: Key<Option<Column>> =
    Key::optional("prompt_tokens", "Column of the mean tokens of a prompt.");
const OUTPUT_TOKENS: Key<Option<Column>> = Key::optional(
    "output_tokens",
    "Column of the mean tokens of an answer; with `ttft`. With it, what prompts computed beside the tokens took is taken out of `per_sequence`.",
);
const UNIT: Key<Unit> = Key::or("unit", "\"s\"", "Unit of the times.");
const SPEC: TableSpec = TableSpec {
    name: "fit",
    doc: "The columns of a load test in a CSV file. By least squares, TPOT = `fixed` + `per_sequence` × concurrency. A load test for which one of the times would be negative is refused. What prompts computed beside the tokens took is in the slope; given `output_tokens`, it is taken out: a sequence brings a prompt for each answer, so prompt / output tokens to be computed an iteration. `per_prefill_token` is the mean of (TTFT − TPOT) per prompt token over the rows, with the queue in the engine in it: measure it at low load.",
    keys: &[&FILE, &CONCURRENCY, &TPOT, &TTFT, &PROMPT_TOKENS, &OUTPUT_TOKENS, &UNIT],
};

impl Value for Fit {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (file, unit) = (reader.get(&FILE)?, reader.get(&UNIT)?.seconds());
        let column = |column: &Column| {
            let parse =
                |cell: &str| cell.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite());
            let named = reader.context().file(&file);
            let values = read_column(&named, column, Order::Any, "a number above 0", parse);
            values.map_err(|error: FileError| error.at(&reader.place_of("file")))
        };
        let concurrency = column(&reader.get(&CONCURRENCY)?)?;
        let tpot: Vec<f64> = column(&reader.get(&TPOT)?)?.iter().map(|time| time * unit).collect();
        let Some((fixed_s, slope_s)) = line(&concurrency, &tpot) else {
            let message = format!("the load test of `{path}` has one concurrency only");
            return Err(reader.problem("file", message, "expected rows of at least two concurrencies"));
        };
        let prompts = match (reader.find(&TTFT)?, reader.find(&PROMPT_TOKENS)?) {
            (Some(ttft), Some(tokens)) => Some((column(&ttft)?, column(&tokens)?)),
            (None, None) => None,
            (Some(_), None) => return Err(reader.missing("prompt_tokens")),
            (None, Some(_)) => return Err(reader.missing("ttft")),
        };
        // A negative time is no measurement but a law that does not hold for these rows; taken for 0, it would make
        // every result wrong by an unknown amount.
        let mean_s = tpot.iter().sum::<f64>() / tpot.len() as f64;
        let negative = |part: &str, value_s: f64, because: &str, expected: &str| {
            let shown = format!("{:.4} ms", value_s * 1e3);
            let message =
                format!("the load test of `{path}` gives a negative `{part}` of {shown}: {because}");
            Err(reader.problem("file", message, expected))
        };
        let (lowest, highest) = range(&concurrency);
        let levels = format!("concurrency {lowest} to {highest}");
        if below_zero(slope_s * (highest - lowest), mean_s) {
            let because = format!("over {levels}, TPOT falls as concurrency rises");
            return negative(
                "per_sequence",
                slope_s,
                &because,
                "expected a TPOT that rises with concurrency",
            );
        }
        if below_zero(fixed_s, mean_s) {
            let because = format!(
                "over {levels}, TPOT rises faster than in proportion to concurrency; a bend, as of a full engine, does that"
            );
            return negative("fixed", fixed_s, &because, "expected rows below the bend only");
        }
        let per_prefill_token_s = prompts.as_ref().map(|(ttft, tokens)| {
            let each = ttft.iter().zip(&tpot).zip(tokens);
            each.map(|((ttft, tpot), tokens)| (ttft * unit - tpot) / tokens).sum::<f64>() / tpot.len() as f64
        });
        if let Some((ttft, _)) = &prompts
            && let Some(row) = (0..tpot.len()).find(|row| below_zero(ttft[*row] * unit - tpot[*row], mean_s))
        {
            let because = format!(
                "at concurrency {}, the time to the first token is {:.4} ms but TPOT is {:.4} ms; a TTFT holds an iteration",
                concurrency[row],
                ttft[row] * unit * 1e3,
                tpot[row] * 1e3
            );
            let each_s =
                (ttft[row] * unit - tpot[row]) / prompts.as_ref().map_or(1.0, |(_, tokens)| tokens[row]);
            return negative(
                "per_prefill_token",
                each_s,
                &because,
                "expected a TTFT of at least the TPOT in each row",
            );
        }
        let beside_s = match (reader.find(&OUTPUT_TOKENS)?, &prompts, per_prefill_token_s) {
            (None, _, _) => 0.0,
            (Some(answers), Some((_, prompts)), Some(each_s)) => {
                each_s * prompts.iter().sum::<f64>() / column(&answers)?.iter().sum::<f64>()
            }
            (Some(_), _, _) => return Err(reader.missing("ttft")),
        };
        if below_zero((slope_s - beside_s) * (highest - lowest), mean_s) {
            let because = format!(
                "over {levels}, TPOT rises by {:.4} ms a sequence, but by `ttft` the prompts computed beside it take {:.4} ms; \
                 probably TTFT holds queueing or overhead of the client, or TPOT has a bend",
                slope_s * 1e3,
                beside_s * 1e3
            );
            let expected = "expected `ttft` measured at low load, rows below the bend, or no `output_tokens`";
            return negative("per_sequence", slope_s - beside_s, &because, expected);
        }
        let per_prefill_token_s = per_prefill_token_s.map(|each_s| each_s.max(0.0));
        let per_sequence_s = (slope_s - beside_s).max(0.0);
        Ok(Fit { fixed_s: fixed_s.max(0.0), per_sequence_s, per_prefill_token_s })
    }
}

/// Whether a part is negative by more than rounding, beside a time of this size.
fn below_zero(part_s: f64, size_s: f64) -> bool {
    part_s < -1e-9 * size_s
}

fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// Least-squares line through these points: intercept and slope. `None` if all have one abscissa.
fn line(x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let count = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / count, y.iter().sum::<f64>() / count);
    let spread: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let slope = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    Some((mean_y - slope * mean_x, slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_computed_beside_tokens_are_taken_out_where_answers_are_known() {
        let folder = tempfile::tempdir().unwrap();
        // 10 ms, 0.2 ms a sequence, 20 µs a prompt token; 100 tokens of prompt for 50 of answer, so 0.04 ms a sequence more.
        let rows = [1.0, 10.0, 50.0].map(|n: f64| {
            let tpot = 0.010 + 0.00024 * n;
            format!("{n},{tpot},{},100,50\n", tpot + 0.002)
        });
        let text = format!("concurrency,tpot,ttft,prompt,answer\n{}", rows.concat());
        std::fs::write(folder.path().join("f.csv"), text).unwrap();
        let fit = |more: &str| {
            let text = format!("file = \"f.csv\"\nttft = \"ttft\"\nprompt_tokens = \"prompt\"\n{more}");
            let tree = crate::schema::Tree::parse(&text).unwrap();
            Fit::read(tree.root(), "fit", &Context::new(folder.path())).unwrap()
        };
        let near = |found: f64, exact: f64| assert!((found - exact).abs() < 1e-9, "{found} for {exact}");
        near(fit("").per_sequence_s, 0.00024);
        near(fit("output_tokens = \"answer\"").per_sequence_s, 0.0002);
        near(fit("output_tokens = \"answer\"").per_prefill_token_s.unwrap(), 0.00002);
    }

    #[test]
    fn a_straight_line_is_found() {
        let (fixed, each) = line(&[1.0, 8.0, 64.0], &[0.0102, 0.0116, 0.0228]).unwrap();
        assert!((fixed - 0.010).abs() < 1e-12 && (each - 0.0002).abs() < 1e-12, "{fixed} {each}");
        assert_eq!(line(&[4.0, 4.0], &[0.1, 1.0]), None);
    }

    #[test]
    fn a_load_test_that_makes_a_time_negative_is_refused_with_the_part_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |rows: &str| {
            std::fs::write(
                folder.path().join("f.csv"),
                format!("concurrency,tpot,ttft,prompt,answer\n{rows}"),
            )
            .unwrap();
            let text = "file = \"f.csv\"\nunit = \"ms\"\nttft = \"ttft\"\nprompt_tokens = \"prompt\"\noutput_tokens = \"answer\"";
            let tree = crate::schema::Tree::parse(text).unwrap();
            Fit::read(tree.root(), "fit", &Context::new(folder.path())).unwrap_err().message
        };
        // Falling, over-proportional, first token sooner than the next, and prompts that take more than the slope.
        let falling = refusal("1,12,40,100,50\n9,10,40,100,50\n");
        assert!(
            falling.contains("`per_sequence` of -0.2500 ms") && falling.contains("TPOT falls"),
            "{falling}"
        );
        let bent = refusal("1,1,40,100,50\n11,21,60,100,50\n");
        assert!(bent.contains("`fixed` of -1.0000 ms") && bent.contains("concurrency 1 to 11"), "{bent}");
        let early = refusal("1,10,4,100,50\n11,12,60,100,50\n");
        assert!(
            early.contains("`per_prefill_token` of -0.0600 ms") && early.contains("at concurrency 1,"),
            "{early}"
        );
        let blamed = refusal("21.66,17.40,53.4,593,247\n47.42,19.05,56.7,593,247\n");
        assert!(
            blamed.contains("`per_sequence` of -0.0") && blamed.contains("queueing or overhead"),
            "{blamed}"
        );
    }
}
