//! A file being written through a buffer.

use std::path::{Path, PathBuf};

use env::{Fs, WriteFile};

use crate::Error;

/// Bytes gathered before they are handed to the file.
const BUFFER_LEN: usize = 1 << 20;

pub(crate) struct Out {
    path: PathBuf,
    file: Box<dyn WriteFile>,
    buffer: Vec<u8>,
}

impl Out {
    pub fn create(fs: &dyn Fs, path: &Path) -> Result<Out, Error> {
        let file = fs.create(path).map_err(Error::io(path))?;
        Ok(Out { path: path.to_path_buf(), file, buffer: Vec::new() })
    }

    /// Where the next byte goes.
    pub fn position(&self) -> u64 {
        self.file.len() + self.buffer.len() as u64
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.buffer.len() + bytes.len() > BUFFER_LEN {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Zeros up to a multiple of `align`.
    pub fn pad(&mut self, align: u64) -> Result<(), Error> {
        let zeros = self.position().next_multiple_of(align) - self.position();
        self.write(&[0; 16][..zeros as usize])
    }

    /// Overwrites what was written before.
    pub fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.flush()?;
        self.file.write_at(offset, bytes).map_err(Error::io(&self.path))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.write_all(&self.buffer).map_err(|e| Error::io(&self.path)(e.into()))?;
        self.buffer.clear();
        Ok(())
    }

    /// Makes everything durable; returns the length.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.flush()?;
        self.file.sync_data().map_err(Error::io(&self.path))?;
        Ok(self.file.len())
    }
}
