//! Work that is done once for all who want its result, even when they want it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::error::Error;

/// Results by key.
#[derive(Debug)]
pub(crate) struct Memo<T>(Mutex<HashMap<String, Cell<T>>>);

type Cell<T> = Arc<OnceCell<Result<T, Error>>>;

impl<T> Default for Memo<T> {
    fn default() -> Memo<T> {
        Memo(Mutex::default())
    }
}

impl<T: Clone> Memo<T> {
    /// The result for a key: of `work`, or of the first who asked.
    pub(crate) async fn get(
        &self,
        key: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let cell = {
            // Nothing panics while the map is locked; a poisoned one would still be whole.
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(key.to_string()).or_default().clone()
        };
        cell.get_or_init(|| work).await.clone()
    }
}
