//! Rows of numbers, as the models read them.

/// Rows of numbers, one after the other, all of the same width.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    flat: Vec<f32>,
    width: usize,
}

impl Rows {
    /// `flat` holds rows of `width` numbers; what is left over is dropped.
    pub fn new(mut flat: Vec<f32>, width: usize) -> Self {
        let width = width.max(1);
        flat.truncate(flat.len() / width * width);
        Self { flat, width }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.flat.len() / self.width.max(1)
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All numbers.
    pub fn flat(&self) -> &[f32] {
        &self.flat
    }

    /// One row; empty beyond the last.
    pub fn row(&self, row: u32) -> &[f32] {
        let at = row as usize * self.width;
        self.flat.get(at..at + self.width).unwrap_or_default()
    }

    /// Those named in `places`, in that order.
    pub fn pick(&self, places: &[u32]) -> Self {
        Self { flat: places.iter().flat_map(|place| self.row(*place)).copied().collect(), width: self.width }
    }
}
