//! Traces: files of recorded traffic, one reader a layout and one line a format.
//!
//! Every reader gives the file, line and column of what it cannot read, and what it expected there.

mod counts;
mod doubt;
mod error;
mod exact;
mod format;
mod iterations;
mod json_lines;
mod jtl;
mod loadtest;
mod measure;
mod metered;
mod moment;
mod packed;
mod packing;
mod prefix_reuse;
mod quick;
mod recording;
mod records;
mod table;
#[cfg(test)]
mod tests;
mod timestamps;
mod trace;
mod tree;
mod unit;

pub use counts::{Clock, read_counts, read_counts_clock};
pub use error::FileError;
pub(crate) use error::field_place;
pub use format::{FORMATS, Format, Layout, TraceForm};
pub use iterations::IterationTimes;
pub use loadtest::{Driven, Fitted, Law, Level, LoadTest, Refit, fit, fit_recording, read_load_test};
pub use measure::{Dispersion, Gap, Measured, Peak, Profile, Spread, measure, rate_over_time};
pub use moment::{shown as shown_instant, wall_clock};
pub use packed::{Cursor, Packed, Values};
pub use prefix_reuse::{PrefixReuse, RowBlocks, prefix_reuse, row_blocks};
pub use recording::{
    Gaps, Quantity, Reading, Recorded, Recording, Requests, Series, SeriesChoice, Skipped, Wanted,
    form_names, read_recording, read_recordings,
};
pub(crate) use records::{Broken, ROW_BYTES, Records, excerpt_of_line};
pub use table::{Column, Order, read_column};
pub(crate) use timestamps::parse_date;
pub use trace::{Trace, TraceColumns, read_trace};
pub use unit::Unit;
