//! The times of an iteration, fitted to a load test.

use crate::schema::{Context, FileName, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::traffic::{Column, Driven, FileError, IterationTimes, Law, Level, Order, Unit, fit, read_column};

/// Times of an iteration fitted to a load test, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fit {
    pub fixed_s: f64,
    pub per_sequence_s: f64,
    /// Only if the load test measured the time to the first token.
    pub per_prefill_token_s: Option<f64>,
    /// All parts, if the load test measured all that they follow from.
    pub times: Option<IterationTimes>,
}

impl Fit {
    fn of_times(times: IterationTimes) -> Fit {
        Fit {
            fixed_s: times.fixed_s,
            per_sequence_s: times.per_sequence_s().unwrap_or(0.0),
            per_prefill_token_s: Some(times.per_prefill_token_s),
            times: Some(times),
        }
    }
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
    "Column of the mean tokens of an answer; with `ttft`. With it, all parts are fitted at once.",
);
const UNIT: Key<Unit> = Key::or("unit", "\"s\"", "Unit of the times.");
const SPEC: TableSpec = TableSpec {
    name: "fit",
    doc: "The columns of a load test in a CSV file. With `ttft`, `prompt_tokens` and `output_tokens`, all parts of an iteration and what is before the first token are fitted to all rows at once, none negative, with points of `decoding` where the times bend, as `kneepoint service fit` does; a fit that is more than 15 % off one of its own rows is refused. Without `output_tokens`, by least squares, TPOT = `fixed` + `per_sequence` × concurrency, and `per_prefill_token` is the mean of (TTFT − TPOT) per prompt token over the rows, with the queue in the engine in it: measure it at low load. A load test for which one of the times would be negative is refused.",
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
        if let Some(answers) = reader.find(&OUTPUT_TOKENS)? {
            let Some(ttft) = reader.find(&TTFT)? else { return Err(reader.missing("ttft")) };
            let Some(tokens) = reader.find(&PROMPT_TOKENS)? else {
                return Err(reader.missing("prompt_tokens"));
            };
            let ttft: Vec<f64> = column(&ttft)?.iter().map(|time| time * unit).collect();
            let levels = levels(&concurrency, &tpot, &ttft, &column(&tokens)?, &column(&answers)?);
            return all_parts(&levels).map(Fit::of_times).map_err(|why| {
                let message = format!("the load test of `{path}` {why}");
                reader.problem(
                    "file",
                    message,
                    "expected rows of one engine that a law of its iterations fits",
                )
            });
        }
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
        let per_prefill_token_s = per_prefill_token_s.map(|each_s| each_s.max(0.0));
        Ok(Fit {
            fixed_s: fixed_s.max(0.0),
            per_sequence_s: slope_s.max(0.0),
            per_prefill_token_s,
            times: None,
        })
    }
}

/// The rows as levels of so many users.
fn levels(concurrency: &[f64], tpot: &[f64], ttft: &[f64], prompt: &[f64], output: &[f64]) -> Vec<Level> {
    let level = |row: usize| {
        let latency = ttft[row] + (output[row] - 1.0).max(0.0) * tpot[row];
        Level {
            name: format!("of concurrency {}", concurrency[row]),
            driven: Driven::Users(concurrency[row]),
            rate: concurrency[row] / latency,
            latency_s: None,
            ttft_s: Some(ttft[row]),
            tpot_s: Some(tpot[row]),
            prompt_tokens: Some(prompt[row]),
            output_tokens: Some(output[row]),
            failed: 0.0,
        }
    };
    (0..tpot.len()).map(level).collect()
}

/// The times of all levels at once; why there are none.
fn all_parts(levels: &[Level]) -> Result<IterationTimes, String> {
    let fitted = fit(levels, Some("llm"))?;
    match (fitted.refused, fitted.law) {
        (None, Law::Llm { times, .. }) => Ok(times),
        (refused, _) => Err(format!("gives no fit: {}", refused.unwrap_or_default())),
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

    fn read(rows: &str, more: &str) -> Result<Fit, Problem> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f.csv"), format!("concurrency,tpot,ttft,prompt,answer\n{rows}"))
            .unwrap();
        let text =
            format!("file = \"f.csv\"\nunit = \"ms\"\nttft = \"ttft\"\nprompt_tokens = \"prompt\"\n{more}");
        let tree = crate::schema::Tree::parse(&text).unwrap();
        Fit::read(tree.root(), "fit", &Context::new(folder.path()))
    }

    #[test]
    fn a_first_token_that_takes_iterations_is_not_blamed_on_prompts() {
        // Two levels of Llama 2 70B, as measured: as time of prompts it made what sequences add negative.
        let rows = "21.66,17.40,53.4,593,247\n47.42,19.05,56.7,593,247\n";
        let times = read(rows, "output_tokens = \"answer\"").unwrap().times.unwrap();
        assert!(times.per_sequence_s().unwrap() > 0.0 && times.per_prefill_token_s < 3e-5, "{times:?}");
        // A sweep of users with a bend.
        let rows = "16,8.78,28.74,75,263\n32,10.73,36.17,71,265\n64,14.53,51.44,68,262\n96,20.32,73.16,68,266\n\
                    128,25.84,92.81,67,267\n192,39.75,147.81,67,263\n256,52.96,206,67,260\n";
        let times = read(rows, "output_tokens = \"answer\"").unwrap().times.unwrap();
        assert!(!times.bends().is_empty(), "{times:?}");
    }

    #[test]
    fn a_straight_line_is_found() {
        let (fixed, each) = line(&[1.0, 8.0, 64.0], &[0.0102, 0.0116, 0.0228]).unwrap();
        assert!((fixed - 0.010).abs() < 1e-12 && (each - 0.0002).abs() < 1e-12, "{fixed} {each}");
        assert_eq!(line(&[4.0, 4.0], &[0.1, 1.0]), None);
    }

    #[test]
    fn a_load_test_that_makes_a_time_negative_is_refused_with_the_part_and_the_reason() {
        let refusal = |rows: &str| read(rows, "").unwrap_err().message;
        // Falling, over-proportional, and first token sooner than the next.
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
        let all = read("1,10,4,100,50\n11,12,60,100,50\n", "output_tokens = \"answer\"").unwrap_err().message;
        assert!(all.contains("gives no fit") && all.contains("off its own measurement"), "{all}");
    }
}
