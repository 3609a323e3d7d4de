//! Changes to what was good: a fuzzer that only knows bytes would never find a text that was sealed or signed.

/// `text` with the changes that `instructions` spell, each in four bytes: which one, where (big-endian), and with
/// which byte.
pub fn edited(text: &[u8], instructions: &[u8]) -> Vec<u8> {
    let mut edited = text.to_vec();
    for [kind, high, low, byte] in instructions.as_chunks::<4>().0.iter().take(64) {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % edited.len().max(1);
        edit(&mut edited, *kind, at, *byte);
    }
    edited
}

fn edit(text: &mut Vec<u8>, kind: u8, at: usize, byte: u8) {
    let end = text.len().min(at + usize::from(byte));
    match kind % 7 {
        _ if text.is_empty() => text.push(byte),
        0 => text[at] = byte,
        1 => text[at] ^= 1 << (byte % 8),
        2 => text.insert(at, byte),
        3 => drop(text.drain(at..end)),
        4 => text.truncate(at),
        5 => {
            let again = text[at..end].to_vec();
            text.splice(at..at, again);
        }
        _ => {
            let last = text.len() - 1;
            text.swap(at, last - at.min(last));
        }
    }
}
