//! The spool of an import: staged rows in memory, or in an unnamed temporary file.

use std::{
    io::{Cursor, Error, ErrorKind},
    marker::PhantomData,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    fs::File,
    io::{AsyncBufRead, AsyncBufReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter},
};

use super::spool_folder::{Reservation, SpoolFolder};

/// The most bytes of rows for a byte of input: rows have index entries and the names of columns.
pub const SPREAD: usize = 4;

/// The size of the file buffers.
const BUFFER: usize = 256 * 1024;

/// The most bytes in memory before there is a file.
const MEMORY: usize = 1024 * 1024;

/// A spool to write.
pub struct Spool<T> {
    folder: SpoolFolder,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
    reservation: Reservation,
    line: Vec<u8>,
    bytes: usize,
    most: usize,
    kind: PhantomData<fn(T)>,
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    /// An empty spool for an input of at most `given` bytes: it takes [`SPREAD`] times as many.
    pub fn new(folder: &SpoolFolder, given: usize) -> Self {
        Self {
            folder: folder.clone(),
            memory: Vec::new(),
            file: None,
            reservation: folder.reservation(),
            line: Vec::new(),
            bytes: 0,
            most: given.saturating_mul(SPREAD),
            kind: PhantomData,
        }
    }

    /// Adds a row; `false` beyond the most bytes. [`ErrorKind::StorageFull`]: the folder is full.
    pub async fn write(&mut self, row: &T) -> Result<bool, Error> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, row)?;
        self.line.push(b'\n');
        self.bytes += self.line.len();
        if self.bytes > self.most {
            return Ok(false);
        }
        if self.file.is_none() && self.bytes <= MEMORY {
            self.memory.extend_from_slice(&self.line);
            return Ok(true);
        }
        self.reservation.extend_to(self.bytes as u64)?;
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = File::from_std(self.folder.file()?);
                let file = none.insert(BufWriter::with_capacity(BUFFER, file));
                file.write_all(&std::mem::take(&mut self.memory)).await?;
                file
            }
        };
        file.write_all(&self.line).await?;
        Ok(true)
    }

    /// All rows, from the first.
    pub async fn read(self) -> Result<Rows<T>, Error> {
        let source: Box<dyn AsyncBufRead + Send + Unpin> = match self.file {
            None => Box::new(Cursor::new(self.memory)),
            Some(mut file) => {
                file.flush().await?;
                let mut file = file.into_inner();
                file.rewind().await?;
                Box::new(BufReader::with_capacity(BUFFER, file))
            }
        };
        Ok(Rows { source, reservation: self.reservation, line: self.line, kind: PhantomData })
    }
}

/// A spool to read.
pub struct Rows<T> {
    source: Box<dyn AsyncBufRead + Send + Unpin>,
    #[expect(dead_code, reason = "given back when dropped")]
    reservation: Reservation,
    line: Vec<u8>,
    kind: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    /// The next `most` rows, fewer at the end.
    pub async fn next(&mut self, most: usize) -> Result<Vec<T>, Error> {
        let mut rows = Vec::with_capacity(most);
        while rows.len() < most {
            self.line.clear();
            if self.source.read_until(b'\n', &mut self.line).await? == 0 {
                break;
            }
            let row = serde_json::from_slice(&self.line);
            rows.push(row.map_err(|error| Error::new(ErrorKind::InvalidData, error))?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use server::storage::MinFree;

    use super::*;

    fn folder(path: &Path) -> SpoolFolder {
        SpoolFolder::new(path.to_owned(), None, MinFree::Off)
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_in_runs_from_memory_and_from_a_file() {
        for length in [10, MEMORY / 4] {
            let mut spool = Spool::new(&folder(&std::env::temp_dir()), 2 * MEMORY);
            for n in 0..5 {
                let line = format!("{}\n{n}", "a".repeat(length));
                assert!(spool.write(&line).await.expect("written"));
            }
            assert_eq!(spool.file.is_some(), length > 10);
            let mut rows = spool.read().await.expect("rewound");
            let mut numbers = Vec::new();
            for expected in [2, 2, 1, 0] {
                let run = rows.next(2).await.expect("rows");
                assert_eq!(run.len(), expected);
                numbers.extend(run.iter().filter_map(|line| line.chars().last()));
            }
            assert_eq!(numbers, ['0', '1', '2', '3', '4']);
        }
    }

    #[tokio::test]
    async fn it_has_a_limit() {
        let mut spool = Spool::new(&folder(&std::env::temp_dir()), 3);
        assert!(spool.write(&"a".repeat(7)).await.expect("written"));
        assert!(!spool.write(&String::new()).await.expect("no error"));
    }

    #[tokio::test]
    async fn without_a_folder_small_imports_are_staged_in_memory() {
        let mut spool = Spool::new(&folder(Path::new("/no/such/folder")), 2 * MEMORY);
        assert!(spool.write(&"a".repeat(1000)).await.expect("in memory"));
        let error = spool.write(&"a".repeat(MEMORY)).await.expect_err("no file");
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}
