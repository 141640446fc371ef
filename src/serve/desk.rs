//! Asking the case: DuckDB blocks, so questions run on blocking threads, as many at once as there are connections.

use super::problem::Problem;
use crate::store::{Cell, OpenCase, StoreError};
use duckdb::types::Value;
use duckdb::{Connection, InterruptHandle};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Questions under way at once. Each uses all of DuckDB's threads, so more would only wait inside DuckDB.
const CONNECTIONS: usize = 4;
/// How long a question waits for a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// The open case with its connections.
pub struct Desk {
    places: Arc<Semaphore>,
    // Fields drop in order: connections before the case.
    free: Mutex<Vec<Connection>>,
    case: Mutex<OpenCase>,
}

/// Stops a question whose asker has gone. Disarmed before the connection serves somebody else.
#[derive(Clone, Default)]
struct Brake(Arc<Mutex<Option<Arc<InterruptHandle>>>>);

impl Brake {
    fn set(&self, handle: Option<Arc<InterruptHandle>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    fn pull(&self) {
        if let Some(handle) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            handle.interrupt();
        }
    }
}

struct OnLeaving(Brake);

impl Drop for OnLeaving {
    fn drop(&mut self) {
        self.0.pull();
    }
}

impl Desk {
    /// Around an open case.
    pub fn new(case: OpenCase, threads: usize) -> Result<Self, StoreError> {
        let connections = CONNECTIONS.min(threads.max(2));
        let free = (0..connections).map(|_| case.another()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { places: Arc::new(Semaphore::new(connections)), free: Mutex::new(free), case: Mutex::new(case) })
    }

    /// The same case as it stands now, where it is a live one.
    pub fn again(&self, memory: u64, threads: usize) -> Result<OpenCase, StoreError> {
        self.case.lock().unwrap_or_else(PoisonError::into_inner).again(memory, threads)
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // None is left only if a question before ended in a panic and took its connection with it.
        free.map_or_else(|| self.case.lock().unwrap_or_else(PoisonError::into_inner).another(), Ok)
    }

    /// Runs `work` on a connection, on a thread that may block. If the asker goes away or runs out of time, DuckDB is interrupted.
    pub async fn ask<T, F>(self: &Arc<Self>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Problem::Busy)?.map_err(|closed| Problem::Ours(closed.to_string()))?;
        let conn = self.take()?;
        let brake = Brake::default();
        brake.set(Some(conn.interrupt_handle()));
        let _leaving = OnLeaving(brake.clone());
        let desk = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let answer = work(&conn);
            brake.set(None);
            desk.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            drop(place);
            answer
        });
        done.await.map_err(|panic| Problem::Ours(panic.to_string()))?
    }
}

/// Rows with the names of their columns.
#[derive(Default)]
pub struct Rows {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Rows, each as long as `names`.
    pub cells: Vec<Vec<Cell>>,
}

/// Runs a statement of ours with bound values.
pub fn rows(conn: &Connection, sql: &str, values: &[Value]) -> Result<Rows, Problem> {
    let mut statement = conn.prepare(sql)?;
    let mut found = statement.query(duckdb::params_from_iter(values.iter()))?;
    let names = found.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    let mut cells = Vec::new();
    while let Some(row) = found.next()? {
        let row = (0..names.len()).map(|at| row.get::<_, Value>(at).map(Cell::from)).collect::<duckdb::Result<Vec<_>>>()?;
        cells.push(row);
    }
    Ok(Rows { names, cells })
}
