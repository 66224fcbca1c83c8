//! Files as bytes of text: unpacked on the way where they are packed, in pieces, and never held whole.

use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::files::NamedFile;

/// A file as it is read.
pub(super) type Content = BufReader<Box<dyn Read + Send>>;

const PIECE: usize = 1 << 16;

/// Opens a file. What is packed with gzip or zstd is unpacked as it is read, however many members or frames it has; text in
/// UTF-16 with a byte order mark, as spreadsheets write it, is read as UTF-8.
pub(super) fn content(file: &NamedFile<'_>) -> io::Result<Content> {
    let opened: Box<dyn Read + Send> = file.open()?;
    text(unpacked(BufReader::with_capacity(PIECE, opened))?)
}

fn unpacked(mut reader: Content) -> io::Result<Content> {
    let start = reader.fill_buf()?;
    let unpacked: Box<dyn Read + Send> = match start {
        [0x1f, 0x8b, ..] => Box::new(Gzip(MultiGzDecoder::new(reader))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd { frame: Some(open_frame(reader)?) }),
        _ => return Ok(reader),
    };
    Ok(BufReader::with_capacity(PIECE, unpacked))
}

fn text(mut reader: Content) -> io::Result<Content> {
    let big_endian = match reader.fill_buf()? {
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        _ => return Ok(reader),
    };
    reader.consume(2);
    let narrowed: Box<dyn Read + Send> =
        Box::new(Utf16 { reader, big_endian, high: None, ready: Vec::new() });
    Ok(BufReader::with_capacity(PIECE, narrowed))
}

/// A gzip file, with errors that say what is wrong with it.
struct Gzip(MultiGzDecoder<Content>);

impl Read for Gzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "its gzip stream is cut off before its end")
            }
            kind => io::Error::new(kind, format!("its gzip stream is damaged ({error})")),
        })
    }
}

type Frame = Box<StreamingDecoder<Content, FrameDecoder>>;

/// A zstd file, frame by frame.
struct Zstd {
    /// `None` once the file has ended.
    frame: Option<Frame>,
}

fn open_frame(reader: Content) -> io::Result<Frame> {
    let damaged = |error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("its zstd stream is damaged or cut off ({error})"))
    };
    StreamingDecoder::new(reader).map(Box::new).map_err(damaged)
}

impl Read for Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let read = frame.read(out).map_err(|error| {
                io::Error::new(error.kind(), format!("its zstd stream is damaged or cut off ({error})"))
            })?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            let Some(frame) = self.frame.take() else { break };
            let mut rest = frame.into_inner();
            if !rest.fill_buf()?.is_empty() {
                self.frame = Some(open_frame(rest)?);
            }
        }
        Ok(0)
    }
}

/// UTF-16 as UTF-8.
struct Utf16 {
    reader: Content,
    big_endian: bool,
    /// The first half of a pair whose second half is still to come.
    high: Option<u16>,
    /// UTF-8 that has not been taken yet.
    ready: Vec<u8>,
}

impl Utf16 {
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let mut bytes = [0; 2];
        match self.reader.read(&mut bytes[..1])? {
            0 => return Ok(None),
            _ => self.reader.read_exact(&mut bytes[1..])?,
        }
        Ok(Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
    }

    fn more(&mut self, enough: usize) -> io::Result<()> {
        while self.ready.len() < enough {
            let Some(unit) = self.unit()? else { return Ok(()) };
            let units = [self.high.take().unwrap_or(unit), unit];
            let whole = if units[0] == unit { &units[1..] } else { &units[..] };
            if whole.len() == 1 && (0xd800..0xdc00).contains(&unit) {
                self.high = Some(unit);
                continue;
            }
            let mut utf8 = [0; 4];
            for character in char::decode_utf16(whole.iter().copied()) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                self.ready.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
        }
        Ok(())
    }
}

impl Read for Utf16 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.more(out.len().min(PIECE))?;
        let taken = self.ready.len().min(out.len());
        out[..taken].copy_from_slice(&self.ready[..taken]);
        self.ready.drain(..taken);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::files::Memory;

    const TEXT: &str = "when,n\n1,ä\n2,𝄞\n";

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut files = Memory::default();
        files.insert("t", bytes);
        let mut text = String::new();
        content(&NamedFile { files: &files, path: "t".into(), shown: "t" })?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn packed_text_reads_as_the_text_however_many_parts_it_is_packed_in() {
        for pack in [gzip, zstd] {
            assert_eq!(read(pack(TEXT)).unwrap(), TEXT);
            assert_eq!(read([pack(TEXT), pack(TEXT)].concat()).unwrap(), TEXT.repeat(2));
            let long = TEXT.repeat(50_000);
            assert_eq!(read(pack(&long)).unwrap(), long);
        }
        assert_eq!(read(TEXT.into()).unwrap(), TEXT);
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error_that_says_so() {
        for pack in [gzip, zstd] {
            let packed = pack(&TEXT.repeat(1000));
            for length in [5, 12, packed.len() / 2, packed.len() - 3] {
                let error = read(packed[..length].to_vec()).unwrap_err().to_string();
                assert!(error.contains("cut off") || error.contains("damaged"), "{length}: {error}");
            }
        }
    }

    #[test]
    fn utf_16_of_either_order_reads_as_utf_8() {
        let units =
            |order: fn(u16) -> [u8; 2]| std::iter::once(0xfeff).chain(TEXT.encode_utf16()).flat_map(order);
        assert_eq!(read(units(u16::to_le_bytes).collect()).unwrap(), TEXT);
        assert_eq!(read(units(u16::to_be_bytes).collect()).unwrap(), TEXT);
    }
}
