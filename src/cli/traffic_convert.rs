//! `kneepoint traffic convert FILE… --to FILE`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::traffic_options::Files;
use super::written::write_whole;
use super::{Answer, Failure, Global};
use crate::traffic::{Packed, Reading, Recorded, Requests, Series, shown_instant};

/// Write recorded traffic as a plain table, whatever form it has.
///
/// A request a row with the columns `timestamp` (a date to the nanosecond, or `timestamp_s`, seconds from the start, where the file has
/// no dates), `prompt_tokens`, `output_tokens` and `duration_s`, as far as every row has them; or an interval a row with the
/// columns `time` and `requests`. Rows are in the order of their instants. Read again, it is the same traffic.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kneepoint traffic convert access.log --to access.csv.zst\n  \
                        kneepoint traffic convert --series sum --values rates query_range.json --to counts.csv")]
pub(super) struct Arguments {
    #[command(flatten)]
    files: Files,
    /// The file to write; by its name it is packed: .csv, .csv.gz, .csv.zst, or .parquet in a build with that feature.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Packing {
    None,
    Gzip,
    Zstd,
    #[cfg(feature = "parquet")]
    Parquet,
}

fn packing(path: &Path) -> Option<Packing> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let kinds = [(".csv", Packing::None), (".csv.gz", Packing::Gzip), (".csv.zst", Packing::Zstd)];
    #[cfg(feature = "parquet")]
    if name.ends_with(".parquet") {
        return Some(Packing::Parquet);
    }
    kinds.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, packing)| packing)
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let to = &arguments.to;
    let Some(packing) = packing(to) else {
        let what = format!(
            "error: `{}` is of no form that is written\n  expected a name in .csv, .csv.gz or .csv.zst{}",
            to.display(),
            match cfg!(feature = "parquet") {
                true => ", or in .parquet",
                false =>
                    "; a build with the feature `parquet`, as released binaries have, writes .parquet too",
            }
        );
        return Err(Failure::bad_input(what));
    };
    let (readings, recorded) = arguments.files.read()?;
    let rows = write_whole(to, |file| match packing {
        Packing::None => table(&recorded, file),
        #[cfg(feature = "parquet")]
        Packing::Parquet => super::traffic_parquet::write(&recorded, file),
        Packing::Gzip => {
            let mut packed = GzEncoder::new(file, Compression::default());
            let rows = table(&recorded, &mut packed)?;
            packed.finish()?;
            Ok(rows)
        }
        Packing::Zstd => {
            let mut packed = Frames { file, held: Vec::new() };
            let rows = table(&recorded, &mut packed)?;
            packed.end_frame()?;
            Ok(rows)
        }
    })?;
    let mut answer = Answer::default();
    if !global.quiet {
        let lines = readings.iter().flat_map(Reading::lines);
        answer.stderr = lines.map(|line| line + "\n").collect();
        answer.stderr += &format!("\n{rows} rows in `{}`\n", to.display());
    }
    Ok(answer)
}

/// Zstd in frames of some size each, which is one stream to every reader.
struct Frames<'a> {
    file: &'a mut dyn Write,
    held: Vec<u8>,
}

impl Frames<'_> {
    fn end_frame(&mut self) -> io::Result<()> {
        let frame = compress_to_vec(self.held.as_slice(), CompressionLevel::Fastest);
        self.held.clear();
        self.file.write_all(&frame)
    }
}

impl Write for Frames<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const FRAME: usize = 4 << 20;
        self.held.extend_from_slice(bytes);
        if self.held.len() >= FRAME {
            self.end_frame()?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn table(recorded: &Recorded, out: &mut dyn Write) -> io::Result<usize> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let rows = match recorded {
        Recorded::Requests(requests) => write_requests(requests, &mut out)?,
        Recorded::Series(series) => write_series(series, &mut out)?,
    };
    out.flush()?;
    Ok(rows)
}

/// An instant as a date, or as seconds from the start with all their digits.
fn instant(origin: Option<i64>, nanos: u64) -> String {
    match origin {
        Some(origin) => shown_instant(origin.saturating_add_unsigned(nanos), true),
        None => format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000),
    }
}

fn write_requests(requests: &Requests, out: &mut dyn Write) -> io::Result<usize> {
    let trace = &requests.trace;
    let (prompt, output, service) =
        (!trace.prompt_tokens.is_empty(), !trace.output_tokens.is_empty(), !trace.service.is_empty());
    out.write_all(if requests.origin.is_some() { b"timestamp" } else { b"timestamp_s" })?;
    for (has, name) in [(prompt, ",prompt_tokens"), (output, ",output_tokens"), (service, ",duration_s")] {
        if has {
            out.write_all(name.as_bytes())?;
        }
    }
    out.write_all(b"\n")?;
    let [mut prompts, mut outputs, mut times] =
        [&trace.prompt_tokens, &trace.output_tokens, &trace.service].map(Packed::iter);
    for nanos in trace.instants.iter() {
        out.write_all(instant(requests.origin, nanos).as_bytes())?;
        for tokens in [prompts.next(), outputs.next()].into_iter().flatten() {
            write!(out, ",{tokens}")?;
        }
        if let Some(nanos) = times.next() {
            write!(out, ",{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)?;
        }
        out.write_all(b"\n")?;
    }
    Ok(trace.instants.len())
}

fn write_series(series: &Series, out: &mut dyn Write) -> io::Result<usize> {
    out.write_all(b"time,requests\n")?;
    let mut start = 0_u64;
    for count in &series.counts {
        out.write_all(instant(series.origin, start).as_bytes())?;
        match count.is_nan() {
            true => out.write_all(b",\n")?,
            false => writeln!(out, ",{count}")?,
        }
        start = start.saturating_add(series.interval.as_nanos());
    }
    Ok(series.counts.len())
}
