//! What is held back until it is known whether all of it is sound: rows in a file without
//! a name, which is gone with whoever holds it.

use std::{
    io::{Error, ErrorKind},
    marker::PhantomData,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    fs::File,
    io::{AsyncBufReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter},
};

/// So many times as long as what came are the rows made of it, at most: they carry words to
/// be found by, and the names of all columns.
pub const SPREAD: usize = 4;

/// As much is written and read at a time.
const BUFFER: usize = 256 * 1024;

/// Rows on their way in.
pub struct Spool<T> {
    file: BufWriter<File>,
    line: Vec<u8>,
    bytes: usize,
    most: usize,
    kind: PhantomData<fn(T)>,
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    /// An empty one for the rows of what comes in at most `given` bytes: it takes
    /// [`SPREAD`] times as many.
    pub fn new(given: usize) -> Result<Self, Error> {
        let most = given.saturating_mul(SPREAD);
        let file = File::from_std(tempfile::tempfile()?);
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Self { file, line: Vec::new(), bytes: 0, most, kind: PhantomData })
    }

    /// Adds a row; `false` if there is no room for it.
    pub async fn write(&mut self, row: &T) -> Result<bool, Error> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, row)?;
        self.line.push(b'\n');
        self.bytes += self.line.len();
        if self.bytes > self.most {
            return Ok(false);
        }
        self.file.write_all(&self.line).await?;
        Ok(true)
    }

    /// All rows, from the first.
    pub async fn read(mut self) -> Result<Rows<T>, Error> {
        self.file.flush().await?;
        let mut file = self.file.into_inner();
        file.rewind().await?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(Rows { file, line: self.line, kind: PhantomData })
    }
}

/// Rows on their way out.
pub struct Rows<T> {
    file: BufReader<File>,
    line: Vec<u8>,
    kind: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    /// The next `most` rows, fewer at the end.
    pub async fn next(&mut self, most: usize) -> Result<Vec<T>, Error> {
        let mut rows = Vec::with_capacity(most);
        while rows.len() < most {
            self.line.clear();
            if self.file.read_until(b'\n', &mut self.line).await? == 0 {
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
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_in_runs() {
        let mut spool = Spool::new(1000).expect("a file");
        for n in 0..5 {
            assert!(spool.write(&format!("line\n{n}")).await.expect("written"));
        }
        let mut rows = spool.read().await.expect("rewound");
        let mut lengths = Vec::new();
        for _ in 0..4 {
            lengths.push(rows.next(2).await.expect("rows").len());
        }
        assert_eq!(lengths, [2, 2, 1, 0]);
    }

    #[tokio::test]
    async fn it_has_a_limit() {
        let mut spool = Spool::new(3).expect("a file");
        assert!(spool.write(&"a".repeat(7)).await.expect("written"));
        assert!(!spool.write(&String::new()).await.expect("no error"));
    }
}
