//! Programs that do nothing: the headers of a PE and of an ELF file, and bytes without meaning after them.

use crate::synth::Rng;

/// A 64-bit Windows program of `bytes`; `signed` gives it a certificate table, as installers have.
pub fn pe(rng: &mut Rng, bytes: usize, signed: bool) -> Vec<u8> {
    let mut out = dos_stub();
    out.extend(b"PE\0\0");
    out.extend(0x8664_u16.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(1_767_225_600_u32.to_le_bytes());
    out.extend([0; 8]);
    out.extend(240_u16.to_le_bytes());
    out.extend(0x0022_u16.to_le_bytes());
    out.extend(optional_header(bytes, signed));
    out.extend(section(bytes));
    out.resize(0x400, 0);
    fill(rng, out, bytes)
}

/// The part that MS-DOS would run, with the address of the rest at 0x3c.
fn dos_stub() -> Vec<u8> {
    let mut out = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40".to_vec();
    out.resize(0x3c, 0);
    out.extend(0x80_u32.to_le_bytes());
    out.extend(b"\x0e\x1f\xba\x0e\0\xb4\x09\xcd\x21\xb8\x01\x4c\xcd\x21This program cannot be run in DOS mode.\r\r\n$");
    out.resize(0x80, 0);
    out
}

fn optional_header(bytes: usize, signed: bool) -> Vec<u8> {
    let mut out = vec![0x0b, 0x02, 14, 0];
    let code = (bytes as u32).saturating_sub(0x400).next_multiple_of(0x200);
    for word in [code, 0, 0, 0x1000, 0x1000] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0x1_4000_0000_u64.to_le_bytes());
    for word in [0x1000_u32, 0x200, 6, 0, 6, 0, code.next_multiple_of(0x1000) + 0x1000, 0x400, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend([2, 0, 0x60, 0x81]);
    for size in [0x10_0000_u64, 0x1000, 0x10_0000, 0x1000] {
        out.extend(size.to_le_bytes());
    }
    out.extend([0, 0, 0, 0, 16, 0, 0, 0]);
    let start = out.len();
    out.resize(start + 128, 0);
    if signed {
        let table = [(bytes as u32).saturating_sub(0x800).to_le_bytes(), 0x800_u32.to_le_bytes()].concat();
        out[start + 32..start + 40].copy_from_slice(&table);
    }
    out
}

fn section(bytes: usize) -> Vec<u8> {
    let size = (bytes as u32).saturating_sub(0x400);
    let mut out = b".text\0\0\0".to_vec();
    for word in [size, 0x1000, size.next_multiple_of(0x200), 0x400, 0, 0, 0, 0x6000_0020] {
        out.extend(word.to_le_bytes());
    }
    out
}

/// A 64-bit Linux program of `bytes` with one segment.
pub fn elf(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for word in [0x40_0078_u64, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0_u64, 0x40_0000, 0x40_0000, bytes as u64, bytes as u64, 0x1000] {
        out.extend(word.to_le_bytes());
    }
    fill(rng, out, bytes)
}

/// A picture that really is one: the start of a JPEG file, scan data, its end.
pub fn jpeg(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let head = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x48\0\x48\0\0".to_vec();
    let mut out = fill(rng, head, bytes.saturating_sub(2));
    out.extend(b"\xff\xd9");
    out
}

fn fill(rng: &mut Rng, mut head: Vec<u8>, bytes: usize) -> Vec<u8> {
    let rest = bytes.saturating_sub(head.len());
    head.extend(rng.bytes(rest));
    head
}
