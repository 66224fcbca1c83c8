//! Tables that fit a width: what gives way, in which order.
//!
//! 1. Dotted names in the header lose words from the left, as far as they stay different: `…up.above`.
//! 2. Columns of [`DROPPED`] are left out, the first named first. What is left out is said below the table.
//! 3. Intervals are left out, then columns of [`DROPPED_LAST`].
//! 4. A table of alternatives side by side is cut into several below each other, each with its first column.
//! 5. Dotted names break after their dots, names in the first column are shortened from the left, and cells are broken over
//!    lines between words.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width};

use crate::report::table::{Heading, Row, Table};

/// A rule under the header and space between columns: all that aligned numbers need.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Columns that a reader can do without, by their identifiers.
const DROPPED: [&str; 4] = ["paired/unpaired", "mean_ready", "utilization", "relative"];

/// Those that are left out after the intervals.
const DROPPED_LAST: [&str; 1] = ["slo_attainment"];

/// Room between two columns.
const SPACE: usize = 3;

/// Characters of a name that are left at least.
const LEAST_NAME: usize = 12;

/// A table as text of at most `width` characters a line, as far as that is possible; of any width if `None`.
pub fn fitted(table: &Table, width: Option<usize>) -> String {
    let Some(width) = width else { return drawn(table, None) };
    let mut table = table.clone();
    let mut left_out: Vec<String> = Vec::new();
    if needed(&table) > width {
        shorten_headings(&mut table.columns);
    }
    drop_columns(&mut table, width, &DROPPED, &mut left_out);
    if needed(&table) > width && has_intervals(&table) {
        left_out.push("intervals".to_owned());
        for cell in table.rows.iter_mut().flat_map(|row| &mut row.cells) {
            cell.text = without_interval(&cell.text);
        }
    }
    drop_columns(&mut table, width, &DROPPED_LAST, &mut left_out);
    let mut text = match needed(&table) > width && table.columns.len() > 3 && widest(&table, 0) * 2 < width {
        true => blocks(&table, width)
            .iter()
            .map(|block| drawn(block, Some(width)))
            .collect::<Vec<_>>()
            .join("\n\n"),
        false => {
            if needed(&table) > width {
                break_headings(&mut table.columns);
                shorten_names(&mut table, width);
            }
            drawn(&table, Some(width))
        }
    };
    if !left_out.is_empty() {
        text += &format!("\nLeft out for want of width: {}.", left_out.join(", "));
    }
    text
}

/// Takes the columns called `ids` out of a table, one after the other, as long as it is too wide.
fn drop_columns(table: &mut Table, width: usize, ids: &[&str], left_out: &mut Vec<String>) {
    for id in ids {
        let place = table.columns.iter().position(|column| column.id == *id);
        let Some(place) = place.filter(|_| needed(table) > width) else { continue };
        left_out.push(table.columns.remove(place).title);
        for row in table.rows.iter_mut().filter(|row| place < row.cells.len()) {
            row.cells.remove(place);
        }
    }
}

/// Width of a table that nothing gives way in.
fn needed(table: &Table) -> usize {
    (0..table.columns.len())
        .map(|column| widest(table, column) + SPACE)
        .sum::<usize>()
        .saturating_sub(SPACE - 1)
}

fn widest(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.text.as_str());
    let heading = table.columns.get(column).map(|column| column.title.as_str());
    cells.chain(heading).flat_map(str::lines).map(characters).max().unwrap_or(0)
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Leaves as many words of each dotted name, from its end, as tell it from the others: two at least where there are three.
fn shorten_headings(columns: &mut [Heading]) {
    let titles: Vec<Vec<String>> =
        columns.iter().map(|column| column.title.split('.').map(str::to_owned).collect()).collect();
    let ending = |words: &[String], take: usize| words[words.len() - take.min(words.len())..].join(".");
    for (index, column) in columns.iter_mut().enumerate() {
        let own = &titles[index];
        let apart = |take: &usize| {
            titles
                .iter()
                .enumerate()
                .all(|(other, words)| other == index || ending(words, *take) != ending(own, *take))
        };
        let least = if own.len() > 2 { 2 } else { 1 };
        let take = (least..own.len()).find(apart).unwrap_or(own.len());
        if take < own.len() {
            column.title = format!("…{}", ending(own, take));
        }
    }
}

/// Lets dotted names break after their dots.
fn break_headings(columns: &mut [Heading]) {
    for column in columns {
        column.title = column.title.replace('.', ".\n");
    }
}

/// The width below which a column is broken within words.
fn least(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.text.as_str());
    let heading = table.columns.get(column).map(|column| column.title.as_str());
    let words = cells.chain(heading).flat_map(str::split_whitespace);
    words.map(characters).max().unwrap_or(0)
}

/// Shortens the names in the first column from the left, so that the words of the others have room: what tells names apart stands
/// at their ends more often than at their beginnings.
fn shorten_names(table: &mut Table, width: usize) {
    if table.is_numeric(0) {
        return;
    }
    let others: usize = (1..table.columns.len()).map(|column| least(table, column) + SPACE).sum();
    let room = width.saturating_sub(others + 1).max(LEAST_NAME);
    for cell in table.rows.iter_mut().filter_map(|row| row.cells.first_mut()) {
        let surplus = (characters(&cell.text) + 1).saturating_sub(room);
        if characters(&cell.text) > room {
            cell.text = format!("…{}", cell.text.chars().skip(surplus).collect::<String>());
        }
    }
}

fn has_intervals(table: &Table) -> bool {
    table.rows.iter().flat_map(|row| &row.cells).any(|cell| without_interval(&cell.text) != cell.text)
}

/// `109 USD` of `109 USD (108 to 112)`, `98.23 %` of `98.23 ± 0.11 %`; any other text as it is.
fn without_interval(text: &str) -> String {
    if let Some((value, _)) =
        text.split_once(" (").filter(|(_, range)| range.ends_with(')') && range.contains(" to "))
    {
        return value.to_owned();
    }
    match text.split_once(" ± ") {
        Some((value, rest)) => match rest.split_once(' ') {
            Some((_, unit)) => format!("{value} {unit}"),
            None => value.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// The table cut into several of at most `width`, each with the first column and as many others as there is room for.
fn blocks(table: &Table, width: usize) -> Vec<Table> {
    let first = widest(table, 0);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut used = width;
    for column in 1..table.columns.len() {
        let room = widest(table, column) + SPACE;
        if used + room > width {
            groups.push(Vec::new());
            used = first;
        }
        used += room;
        if let Some(group) = groups.last_mut() {
            group.push(column);
        }
    }
    let block = |group: &Vec<usize>| {
        let chosen = || std::iter::once(0).chain(group.iter().copied());
        let row = |row: &Row| Row {
            cells: chosen().filter_map(|column| row.cells.get(column).cloned()).collect(),
            marks: row.marks.clone(),
        };
        Table {
            columns: chosen().filter_map(|column| table.columns.get(column).cloned()).collect(),
            rows: table.rows.iter().map(row).collect(),
            ..table.clone()
        }
    };
    groups.iter().map(block).collect()
}

/// Rows under the names of the columns; numbers to the right, words to the left.
fn drawn(table: &Table, width: Option<usize>) -> String {
    let mut text = comfy_table::Table::new();
    text.load_style(STYLE).set_header(table.columns.iter().map(|column| &column.title));
    text.add_rows(table.rows.iter().map(|row| row.cells.iter().map(|cell| &cell.text)));
    if let Some(width) = width.filter(|width| needed(table) > *width) {
        text.set_content_arrangement(ContentArrangement::Dynamic);
        text.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    let words: Vec<usize> = (0..table.columns.len()).map(|column| least(table, column)).collect();
    let all_fit =
        width.is_some_and(|width| words.iter().map(|word| word + SPACE).sum::<usize>() < width + SPACE);
    for (index, column) in text.column_iter_mut().enumerate() {
        if all_fit && width.is_some_and(|width| needed(table) > width) {
            // Its two paddings, but for the first.
            let padding = if index == 0 { 1 } else { 2 };
            let least = u16::try_from(words[index] + padding).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
        column.set_padding((if index == 0 { 0 } else { 1 }, 1));
        let right = table.is_numeric(index);
        column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
    }
    text.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::Cell;

    fn points() -> Table {
        let columns = [
            ("autoscaler.up.above", "autoscaler.up.above"),
            ("autoscaler.down.below", "autoscaler.down.below"),
            ("cost", "cost"),
            ("slo_latency", "p99"),
            ("slo_attainment", "within SLO"),
            ("utilization", "utilization"),
            ("mean_ready", "instances"),
            ("standing", "standing"),
        ];
        let cells = [
            "0.9",
            "0.3",
            "109 USD (108 to 112)",
            "38.6 s (19.6 to 42.8)",
            "98.23 ± 0.11 %",
            "37.72 % (36.03 to 38.17)",
            "4.44 ± 0.03",
            "frontier?, misses SLO",
        ];
        Table {
            id: "points",
            columns: columns
                .map(|(id, title)| Heading { id: id.into(), title: title.into(), unit: None })
                .to_vec(),
            rows: vec![Row::of(cells.map(Cell::text))],
            ..Table::default()
        }
    }

    fn longest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn what_gives_way_first_is_what_can_be_done_without() {
        let all = fitted(&points(), None);
        assert!(all.contains("autoscaler.down.below") && longest(&all) > 140);
        let wide = fitted(&points(), Some(125));
        assert!(
            longest(&wide) <= 125 && wide.contains("…up.above") && wide.contains("(108 to 112)"),
            "{wide}"
        );
        assert!(wide.ends_with("Left out for want of width: instances, utilization."), "{wide}");
        let narrow = fitted(&points(), Some(80));
        assert!(
            longest(&narrow) <= 80 && narrow.contains("109 USD") && narrow.contains("misses SLO"),
            "{narrow}"
        );
        assert!(narrow.contains("…down.below") && !narrow.contains("utilization   "), "{narrow}");
    }

    #[test]
    fn three_parameters_and_a_long_variant_break_between_words_alone() {
        let titles = [
            "variant",
            "autoscaler.up.above",
            "autoscaler.down.below",
            "service.concurrency",
            "cost",
            "p99",
            "standing",
        ];
        let cells = [
            "a second type of instance whose name is long",
            "0.75",
            "0.5",
            "4",
            "0.176 USD",
            "705 ms",
            "frontier?, knee",
        ];
        let table = Table {
            id: "points",
            columns: titles
                .map(|title| Heading { id: title.into(), title: title.into(), unit: None })
                .to_vec(),
            rows: vec![
                Row::of(cells.map(Cell::text)),
                Row::of(
                    [
                        "spot",
                        "0.6",
                        "0.1",
                        "4",
                        "0.0833 USD",
                        "1.10 s",
                        "frontier, cheapest within SLO, SLO uncertain",
                    ]
                    .map(Cell::text),
                ),
            ],
            ..Table::default()
        };
        let text = fitted(&table, Some(80));
        assert!(longest(&text) <= 80, "{text}");
        for word in ["…up.", "above", "below", "…concurrency", "uncertain", "is long", "cheapest"] {
            assert!(text.contains(word), "{word}:\n{text}");
        }
    }

    #[test]
    fn alternatives_side_by_side_are_cut_into_tables_below_each_other() {
        let names: Vec<String> = (1..=16).map(|number| format!("variant {number}")).collect();
        let columns: Vec<&str> = std::iter::once("figure").chain(names.iter().map(String::as_str)).collect();
        let row = |figure: &str| {
            std::iter::once(figure.to_owned()).chain((1..=16).map(|n| format!("{n}.5 ms"))).collect()
        };
        let table = Table::of_text("figures", &columns, vec![row("latency.p99"), row("cost")]);
        let text = fitted(&table, Some(80));
        assert!(longest(&text) <= 80, "{text}");
        assert!(
            text.matches("latency.p99").count() >= 3
                && text.contains("variant 16")
                && text.contains("16.5 ms")
        );
    }

    #[test]
    fn intervals_are_told_from_other_brackets() {
        assert_eq!(without_interval("1.5 s (1 to 2)"), "1.5 s");
        assert_eq!(without_interval("98.23 ± 0.11 %"), "98.23 %");
        assert_eq!(without_interval("4.44 ± 0.03"), "4.44");
        assert_eq!(without_interval("spot (cheap)"), "spot (cheap)");
    }
}
