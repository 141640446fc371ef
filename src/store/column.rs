//! A column is declared once: its name, what it means and how to take it from a row. Its DuckDB type, the Arrow array
//! that carries it and its line in `docs/schema.md` all follow from that one declaration.

use crate::model::{FlowId, Ts};
use duckdb::arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use duckdb::arrow::datatypes::{DataType, Field, Schema};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use rayon::prelude::*;
use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::sync::Arc;

/// Type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `BOOLEAN`
    Bool,
    /// `INTEGER`
    Int,
    /// `BIGINT`
    Big,
    /// `DOUBLE`
    Double,
    /// `VARCHAR`
    Text,
    /// `TIMESTAMP`, microseconds, UTC
    Time,
    /// `INTEGER[]`
    Ints,
    /// `BIGINT[]`
    Bigs,
    /// `VARCHAR[]`
    Texts,
}

impl Kind {
    /// DuckDB's name of it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int => "INTEGER",
            Self::Big => "BIGINT",
            Self::Double => "DOUBLE",
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMP",
            Self::Ints => "INTEGER[]",
            Self::Bigs => "BIGINT[]",
            Self::Texts => "VARCHAR[]",
        }
    }
}

/// A whole number as rows hold it. Counts beyond the range of a column stop at its end: a lie by saturation is
/// visible, one by wrapping is not.
pub trait Whole {
    /// As `BIGINT`.
    fn whole(self) -> Option<i64>;
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Whole for $number {
            fn whole(self) -> Option<i64> {
                Some(i64::try_from(self).unwrap_or(i64::MAX))
            }
        }
    )*};
}
whole!(u8, u16, u32, u64, usize, i32, i64);

impl Whole for FlowId {
    fn whole(self) -> Option<i64> {
        self.0.whole()
    }
}

impl<V: Whole> Whole for Option<V> {
    fn whole(self) -> Option<i64> {
        self.and_then(Whole::whole)
    }
}

fn narrow(value: impl Whole) -> Option<i32> {
    value.whole().map(|value| i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }))
}

/// The text, unless there is none: Zeek's unset.
pub fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Cells of a column on their way into Arrow, one kind after the other. Neither generic nor inlined: there are two thousand columns, and each
/// would carry a copy of Arrow's machinery otherwise, which is most of what a compiler then has to do.
macro_rules! cells {
    ($($name:ident($builder:ty) takes $value:ty;)*) => {$(
        struct $name($builder);

        impl $name {
            #[inline(never)]
            fn of(rows: usize) -> Self {
                Self(<$builder>::with_capacity(rows))
            }

            #[inline(never)]
            fn put(&mut self, value: Option<$value>) {
                self.0.append_option(value);
            }

            #[inline(never)]
            fn done(mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    )*};
}
cells! {
    Bools(BooleanBuilder) takes bool;
    Ints(Int32Builder) takes i32;
    Bigs(Int64Builder) takes i64;
    Doubles(Float64Builder) takes f64;
    Times(TimestampMicrosecondBuilder) takes i64;
}

struct Texts(StringBuilder);

impl Texts {
    #[inline(never)]
    fn of(rows: usize) -> Self {
        Self(StringBuilder::with_capacity(rows, rows * 8))
    }

    #[inline(never)]
    fn put(&mut self, text: Option<&str>) {
        self.0.append_option(text);
    }

    #[inline(never)]
    fn show(&mut self, value: Option<&dyn Display>) {
        match value {
            // Writing to memory cannot fail; `append_value("")` ends the cell.
            Some(value) => {
                let _ = write!(self.0, "{value}");
                self.0.append_value("");
            }
            None => self.0.append_null(),
        }
    }

    #[inline(never)]
    fn done(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Lists: values are put in, then the list is ended.
macro_rules! lists {
    ($($name:ident($builder:ty) takes $value:ty, by $append:ident;)*) => {$(
        struct $name(ListBuilder<$builder>);

        impl $name {
            #[inline(never)]
            fn new() -> Self {
                Self(ListBuilder::new(<$builder>::new()))
            }

            #[inline(never)]
            fn put(&mut self, value: $value) {
                self.0.values().$append(value);
            }

            #[inline(never)]
            fn end(&mut self) {
                self.0.append(true);
            }

            #[inline(never)]
            fn done(mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    )*};
}
lists! {
    IntLists(Int32Builder) takes Option<i32>, by append_option;
    BigLists(Int64Builder) takes Option<i64>, by append_option;
    TextLists(StringBuilder) takes &str, by append_value;
}

type Build<R> = Box<dyn Fn(&[R]) -> ArrayRef + Send + Sync>;

/// One column of rows `R`.
pub struct Column<R> {
    /// Name, as in SQL.
    pub name: Cow<'static, str>,
    /// Type.
    pub kind: Kind,
    /// What it holds, one line.
    pub doc: Cow<'static, str>,
    build: Build<R>,
}

/// The columns of a table, in order.
pub struct Columns<R>(pub Vec<Column<R>>);

impl<R> Default for Columns<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

type Words = Cow<'static, str>;

impl<R> Columns<R> {
    /// No columns yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn add(mut self, name: Words, kind: Kind, doc: Words, build: Build<R>) -> Self {
        self.0.push(Column { name, kind, doc, build });
        self
    }

    /// Yes or no.
    pub fn bool<V: Into<Option<bool>>>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Bools::of(rows.len());
            for row in rows {
                cells.put(take(row).into());
            }
            cells.done()
        };
        self.add(name.into(), Kind::Bool, doc.into(), Box::new(build))
    }

    /// A small number.
    pub fn int<V: Whole>(self, name: impl Into<Words>, doc: impl Into<Words>, take: impl Fn(&R) -> V + Send + Sync + 'static) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Ints::of(rows.len());
            for row in rows {
                cells.put(narrow(take(row)));
            }
            cells.done()
        };
        self.add(name.into(), Kind::Int, doc.into(), Box::new(build))
    }

    /// A count, frame number, flow id or time in nanoseconds.
    pub fn big<V: Whole>(self, name: impl Into<Words>, doc: impl Into<Words>, take: impl Fn(&R) -> V + Send + Sync + 'static) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Bigs::of(rows.len());
            for row in rows {
                cells.put(take(row).whole());
            }
            cells.done()
        };
        self.add(name.into(), Kind::Big, doc.into(), Box::new(build))
    }

    /// A measure. What is no number (NaN) becomes NULL: NaN compares in surprising ways in SQL.
    pub fn double<V: Into<Option<f64>>>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Doubles::of(rows.len());
            for row in rows {
                cells.put(take(row).into().filter(|number| !number.is_nan()));
            }
            cells.done()
        };
        self.add(name.into(), Kind::Double, doc.into(), Box::new(build))
    }

    /// Text that the row holds.
    pub fn text(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl for<'r> Fn(&'r R) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Texts::of(rows.len());
            for row in rows {
                cells.put(take(row));
            }
            cells.done()
        };
        self.add(name.into(), Kind::Text, doc.into(), Box::new(build))
    }

    /// Text that is written out of something else.
    pub fn shown<V: Display>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl Fn(&R) -> Option<V> + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Texts::of(rows.len());
            for row in rows {
                cells.show(take(row).as_ref().map(|value| value as &dyn Display));
            }
            cells.done()
        };
        self.add(name.into(), Kind::Text, doc.into(), Box::new(build))
    }

    /// A moment: `NAME` as `TIMESTAMP` (microseconds, rounded down) and `NAME_ns` with all of it.
    pub fn moment<V: Into<Option<Ts>>>(
        self,
        name: &'static str,
        doc: &'static str,
        take: impl Fn(&R) -> V + Send + Sync + Copy + 'static,
    ) -> Self {
        self.time(name, format!("{doc} UTC."), take).big(
            format!("{name}_ns"),
            format!("The same in nanoseconds since 1970-01-01 (`{name}`)."),
            move |row| take(row).into(),
        )
    }

    /// A moment of which microseconds are enough.
    pub fn time<V: Into<Option<Ts>>>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut cells = Times::of(rows.len());
            for row in rows {
                cells.put(take(row).into().map(|ns| ns.div_euclid(1_000)));
            }
            cells.done()
        };
        self.add(name.into(), Kind::Time, doc.into(), Box::new(build))
    }

    /// A list of small numbers; empty rather than NULL.
    pub fn ints<V: Whole + Copy + 'static>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl for<'r> Fn(&'r R) -> &'r [V] + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut lists = IntLists::new();
            for row in rows {
                for value in take(row) {
                    lists.put(narrow(*value));
                }
                lists.end();
            }
            lists.done()
        };
        self.add(name.into(), Kind::Ints, doc.into(), Box::new(build))
    }

    /// A list of large numbers; empty rather than NULL.
    pub fn bigs<V: Whole + Copy + 'static>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl for<'r> Fn(&'r R) -> &'r [V] + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut lists = BigLists::new();
            for row in rows {
                for value in take(row) {
                    lists.put(value.whole());
                }
                lists.end();
            }
            lists.done()
        };
        self.add(name.into(), Kind::Bigs, doc.into(), Box::new(build))
    }

    /// A list of things written out; empty rather than NULL.
    pub fn shown_list<V: Display + 'static>(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl for<'r> Fn(&'r R) -> &'r [V] + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut lists = TextLists::new();
            for row in rows {
                for value in take(row) {
                    lists.put(&value.to_string());
                }
                lists.end();
            }
            lists.done()
        };
        self.add(name.into(), Kind::Texts, doc.into(), Box::new(build))
    }

    /// A list of texts; empty rather than NULL.
    pub fn texts(
        self,
        name: impl Into<Words>,
        doc: impl Into<Words>,
        take: impl for<'r> Fn(&'r R) -> &'r [String] + Send + Sync + 'static,
    ) -> Self {
        let build = move |rows: &[R]| {
            let mut lists = TextLists::new();
            for row in rows {
                for value in take(row) {
                    lists.put(value);
                }
                lists.end();
            }
            lists.done()
        };
        self.add(name.into(), Kind::Texts, doc.into(), Box::new(build))
    }
}

impl<R> Columns<R> {
    /// The Arrow schema of a batch.
    pub fn schema(&self) -> Arc<Schema> {
        let fields = self.0.iter().map(|column| Field::new(column.name.as_ref(), (column.build)(&[]).data_type().clone(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

impl<R: Sync> Columns<R> {
    /// The rows as one Arrow batch; columns are built in parallel, each from the rows in order.
    pub fn batch(&self, rows: &[R]) -> Result<RecordBatch, ArrowError> {
        let mut work: Vec<Work<'_>> = Vec::with_capacity(self.0.len());
        for column in &self.0 {
            work.push(Box::new(|| (column.build)(rows)));
        }
        let names: Vec<&str> = self.0.iter().map(|column| column.name.as_ref()).collect();
        together(&names, &work)
    }
}

type Work<'a> = Box<dyn Fn() -> ArrayRef + Sync + 'a>;

/// Not generic, like the cells: one copy of the machinery of threads is enough.
fn together(names: &[&str], work: &[Work<'_>]) -> Result<RecordBatch, ArrowError> {
    let arrays: Vec<ArrayRef> = work.par_iter().map(|build| build()).collect();
    let field = |(name, array): (&&str, &ArrayRef)| Field::new(*name, DataType::clone(array.data_type()), true);
    let fields: Vec<Field> = names.iter().zip(&arrays).map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
