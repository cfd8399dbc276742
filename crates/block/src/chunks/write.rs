//! Writing chunks one after another into segments.

use std::path::{Path, PathBuf};

use chunk::Encoding;
use codec::{Put, crc::Crc32c};
use env::Fs;

use super::{DIR, HEADER_LEN, MAGIC, SEGMENT_LEN_MAX, VERSION, segment_name};
use crate::Error;
use crate::out::Out;

pub(crate) struct SegmentWriter<'a> {
    fs: &'a dyn Fs,
    dir: PathBuf,
    segment_len_max: u64,
    /// Segments begun so far.
    segments: usize,
    out: Option<Out>,
    scratch: Vec<u8>,
}

impl<'a> SegmentWriter<'a> {
    pub fn create(fs: &'a dyn Fs, block_dir: &Path) -> Result<SegmentWriter<'a>, Error> {
        let dir = block_dir.join(DIR);
        fs.create_dir_all(&dir).map_err(Error::io(&dir))?;
        let segment_len_max = SEGMENT_LEN_MAX;
        Ok(SegmentWriter { fs, dir, segment_len_max, segments: 0, out: None, scratch: Vec::new() })
    }

    /// Lowers the length at which segments are cut.
    pub fn set_segment_len_max(&mut self, bytes: u64) {
        self.segment_len_max = bytes.clamp(HEADER_LEN, SEGMENT_LEN_MAX);
    }

    /// Appends a chunk and returns its reference. `data` begins with the number of samples.
    pub fn append(&mut self, encoding: Encoding, data: &[u8]) -> Result<u64, Error> {
        self.scratch.clear();
        self.scratch.put_uvarint(data.len() as u64);
        self.scratch.put_u8(encoding as u8);
        let len = (self.scratch.len() + data.len() + 4) as u64;
        let full = match &self.out {
            None => true,
            Some(out) => out.position() > HEADER_LEN && out.position() + len > self.segment_len_max,
        };
        if full {
            self.cut()?;
        }
        let out = self.out.as_mut().expect("a segment was begun just above");
        let reference = (self.segments as u64 - 1) << 32 | out.position();
        let mut sum = Crc32c::new();
        sum.update(&[encoding as u8]);
        sum.update(data);
        out.write(&self.scratch)?;
        out.write(data)?;
        out.write(&sum.value().to_be_bytes())?;
        Ok(reference)
    }

    fn cut(&mut self) -> Result<(), Error> {
        if let Some(out) = self.out.take() {
            out.finish()?;
        }
        let mut out = Out::create(self.fs, &self.dir.join(segment_name(self.segments)))?;
        let mut header = Vec::new();
        header.put_u32(MAGIC);
        header.put_bytes(&[VERSION, 0, 0, 0]);
        out.write(&header)?;
        self.segments += 1;
        self.out = Some(out);
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), Error> {
        if let Some(out) = self.out.take() {
            out.finish()?;
        }
        self.fs.sync_dir(&self.dir).map_err(Error::io(&self.dir))
    }
}
