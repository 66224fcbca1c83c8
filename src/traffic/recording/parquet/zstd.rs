//! Pages that are packed with zstd, unpacked in Rust alone: the reader itself would take a library in C for them.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use ruzstd::decoding::StreamingDecoder;

/// The largest page that is read, unpacked; writers make pages of a megabyte.
const PAGE_BYTES: u64 = 256 << 20;

/// The pages of a column in a group of rows.
pub(super) struct ZstdPages {
    /// As they are packed.
    packed: SerializedPageReader<File>,
}

impl ZstdPages {
    /// Of a column of a group with so many rows.
    ///
    /// # Errors
    /// What is said of the column cannot be.
    pub(super) fn new(file: &Arc<File>, column: &ColumnChunkMetaData, rows: usize) -> Result<ZstdPages> {
        // So the pages come as they are.
        let plain = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        Ok(ZstdPages { packed: SerializedPageReader::new(Arc::clone(file), &plain, rows, None)? })
    }
}

impl Iterator for ZstdPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for ZstdPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(mut page) = self.packed.get_next_page()? else { return Ok(None) };
        let (buf, levels) = match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => (buf, 0),
            Page::DataPageV2 { is_compressed: false, .. } => return Ok(Some(page)),
            // The levels before the values are not packed.
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                (buf, *def_levels_byte_len as usize + *rep_levels_byte_len as usize)
            }
        };
        *buf = unpacked(buf, levels)?.into();
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}

/// The bytes of a page, of which the first `plain` are not packed.
fn unpacked(page: &[u8], plain: usize) -> Result<Vec<u8>> {
    let wrong =
        |why: &dyn std::fmt::Display| ParquetError::General(format!("a page in zstd is damaged: {why}"));
    let (plain, mut packed) =
        page.split_at_checked(plain).ok_or_else(|| wrong(&"it is shorter than its levels"))?;
    let mut bytes = plain.to_vec();
    while !packed.is_empty() {
        let frame = StreamingDecoder::new(&mut packed).map_err(|error| wrong(&error))?;
        frame.take(PAGE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 > PAGE_BYTES {
            return Err(wrong(&"it is larger than 256 MiB"));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    #[test]
    fn pages_are_unpacked_behind_their_levels_and_damaged_ones_refused() {
        let values: Vec<u8> = (0..5000_u32).flat_map(|value| (value % 7).to_le_bytes()).collect();
        let packed = compress_to_vec(values.as_slice(), CompressionLevel::Fastest);
        let page = [&[1, 2, 3], packed.as_slice()].concat();
        assert_eq!(unpacked(&page, 3).unwrap(), [&[1, 2, 3], values.as_slice()].concat());
        assert_eq!(unpacked(&[1, 2, 3], 3).unwrap(), [1, 2, 3]);
        for (page, plain) in [(&page[..page.len() - 5], 3), (&page, 2), (&page, usize::MAX)] {
            assert!(unpacked(page, plain).is_err_and(|error| error.to_string().contains("damaged")));
        }
    }
}
