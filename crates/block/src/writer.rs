//! Writing a block: into a temporary folder, synced, then renamed.

use std::path::{Path, PathBuf};

use chunk::Encoding;
use env::Fs;
use model::Labels;

use crate::chunks::write::SegmentWriter;
use crate::index::ChunkMeta;
use crate::index::write::IndexWriter;
use crate::{BlockMeta, BlockStats, Compaction, Error, Symbols, Tombstones, Ulid};

/// A folder with this ending is not finished; whoever finds one at start removes it.
pub const TMP_FOR_CREATION: &str = ".tmp-for-creation";

/// A chunk to be written.
#[derive(Clone, Copy, Debug)]
pub struct ChunkData<'a> {
    /// Times of the first and last sample, ms.
    pub mint: i64,
    pub maxt: i64,
    pub encoding: Encoding,
    /// The data of the chunk, number of samples in front.
    pub data: &'a [u8],
}

/// Takes series in order of their labels and makes a block of them. Dropped before [`finish`](Self::finish) it leaves
/// the temporary folder behind, as a crash would.
pub struct BlockWriter<'a> {
    fs: &'a dyn Fs,
    parent: PathBuf,
    tmp: PathBuf,
    ulid: Ulid,
    segments: SegmentWriter<'a>,
    index: IndexWriter<'a>,
    stats: BlockStats,
    metas: Vec<ChunkMeta>,
}

impl<'a> BlockWriter<'a> {
    /// Begins block `ulid` inside `parent`. `symbols` must hold every label name and value to come; a text that no
    /// series uses is allowed.
    pub fn create(
        fs: &'a dyn Fs,
        parent: &Path,
        ulid: Ulid,
        symbols: &'a Symbols,
    ) -> Result<BlockWriter<'a>, Error> {
        let tmp = parent.join(format!("{ulid}{TMP_FOR_CREATION}"));
        if fs.exists(&tmp) {
            fs.remove_dir_all(&tmp).map_err(Error::io(&tmp))?;
        }
        fs.create_dir_all(&tmp).map_err(Error::io(&tmp))?;
        Ok(BlockWriter {
            fs,
            parent: parent.to_path_buf(),
            segments: SegmentWriter::create(fs, &tmp)?,
            index: IndexWriter::create(fs, &tmp, symbols)?,
            tmp,
            ulid,
            stats: BlockStats::default(),
            metas: Vec::new(),
        })
    }

    /// Lowers the length at which chunk segments are cut (512 MiB).
    pub fn set_segment_bytes_max(&mut self, bytes: u64) {
        self.segments.set_segment_len_max(bytes);
    }

    /// Appends a series. Labels must rise from call to call; chunks lie one behind the other in time. A series
    /// without chunks is left out.
    pub fn series(&mut self, labels: &Labels, chunks: &[ChunkData<'_>]) -> Result<(), Error> {
        if chunks.is_empty() {
            return Ok(());
        }
        self.metas.clear();
        for chunk in chunks {
            let samples =
                chunk::num_samples(chunk.data).map_err(|e| Error::Input(format!("{labels}: {e}")))?;
            let reference = self.segments.append(chunk.encoding, chunk.data)?;
            self.metas.push(ChunkMeta { mint: chunk.mint, maxt: chunk.maxt, reference });
            self.stats.num_samples += u64::from(samples);
            if chunk.encoding.is_float() {
                self.stats.num_float_samples += u64::from(samples);
            } else {
                self.stats.num_histogram_samples += u64::from(samples);
            }
        }
        self.stats.num_chunks += chunks.len() as u64;
        self.index.series(labels, &self.metas)
    }

    /// Completes the block: everything durable before the folder gets its name. Without any sample there is no block
    /// and nothing is left of it.
    ///
    /// `min_time` inclusive, `max_time` exclusive, ms.
    pub fn finish(
        mut self,
        min_time: i64,
        max_time: i64,
        compaction: Compaction,
    ) -> Result<Option<BlockMeta>, Error> {
        self.stats.num_series = self.index.num_series();
        let (fs, tmp) = (self.fs, self.tmp);
        if self.stats.num_samples == 0 {
            drop((self.segments, self.index));
            fs.remove_dir_all(&tmp).map_err(Error::io(&tmp))?;
            return Ok(None);
        }
        self.segments.finish()?;
        self.index.finish()?;
        Tombstones::new().write(fs, &tmp)?;
        let meta = BlockMeta { ulid: self.ulid, min_time, max_time, stats: self.stats, compaction };
        meta.write(fs, &tmp)?;
        fs.sync_dir(&tmp).map_err(Error::io(&tmp))?;
        let dir = self.parent.join(self.ulid.to_string());
        fs.rename(&tmp, &dir).map_err(Error::io(&dir))?;
        fs.sync_dir(&self.parent).map_err(Error::io(&self.parent))?;
        Ok(Some(meta))
    }
}
