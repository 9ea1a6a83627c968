//! Real files, made on the spot, and forms that carry them.

use bytes::Bytes;

/// The content of a file of a type, at least `size` bytes long where the type can be that long.
#[must_use]
pub fn content(media_type: &str, size: usize) -> Vec<u8> {
    match media_type {
        "image/png" => png(size),
        "image/jpeg" => jpeg(size),
        "image/gif" => padded(GIF.to_vec(), size, 0),
        "application/pdf" => pdf(size),
        "application/zip" => archive(size),
        "text/csv" => padded(b"id,name\n1,Ada\n2,Gus\n".to_vec(), size, b'\n'),
        _ => padded(b"A line of plain text.\n".to_vec(), size, b'\n'),
    }
}

const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

fn padded(mut content: Vec<u8>, size: usize, with: u8) -> Vec<u8> {
    content.resize(content.len().max(size), with);
    content
}

/// A picture of 8 by 8 pixels; a private chunk fills it up.
#[must_use]
pub fn png(size: usize) -> Vec<u8> {
    png_claiming(8, 8, size)
}

/// The same, but its head says that it is of another size.
#[must_use]
pub fn png_claiming(width: u32, height: u32, size: usize) -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let mut chunk = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        chunk.extend_from_slice(name);
        chunk.extend_from_slice(data);
        let sum = crc32(&chunk[4..]);
        chunk.extend_from_slice(&sum.to_be_bytes());
        chunk
    };
    let mut pixels = Vec::new();
    for _ in 0..8 {
        pixels.push(0);
        pixels.extend_from_slice(&[0x33, 0x66, 0xff].repeat(8));
    }
    let mut head = b"\x89PNG\r\n\x1a\n".to_vec();
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend(chunk(b"IHDR", &[&sides[..], &[8, 2, 0, 0, 0]].concat()));
    let mut tail = chunk(b"IDAT", &stored(&pixels));
    tail.extend(chunk(b"IEND", b""));
    if let Some(room) = size.checked_sub(head.len() + tail.len() + 12) {
        head.extend(chunk(b"prVt", &vec![0; room]));
    }
    head.extend(tail);
    head
}

/// Data as a zlib stream that does not compress.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(data);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend_from_slice(&(b << 16 | a).to_be_bytes());
    stream
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// A grey picture of 8 by 8 pixels: one block whose only coefficients are zero, with Huffman tables of one bit.
#[must_use]
pub fn jpeg(size: usize) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let mut segment = vec![0xff, marker];
        segment.extend_from_slice(&u16::try_from(data.len() + 2).unwrap_or(u16::MAX).to_be_bytes());
        segment.extend_from_slice(data);
        segment
    };
    let table = |class: u8| {
        let mut table = vec![class, 1];
        table.resize(18, 0);
        table
    };
    let mut flat = vec![0];
    flat.resize(65, 1);
    let mut image = b"\xff\xd8".to_vec();
    image.extend(segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
    image.extend(segment(0xdb, &flat));
    image.extend(segment(0xc0, b"\x08\0\x08\0\x08\x01\x01\x11\0"));
    image.extend(segment(0xc4, &table(0)));
    image.extend(segment(0xc4, &table(0x10)));
    image.extend(segment(0xda, b"\x01\x01\0\0\x3f\0"));
    image.extend_from_slice(b"\x3f\xff\xd9");
    padded(image, size, 0)
}

/// A document of one empty page; a comment fills it up.
#[must_use]
pub fn pdf(size: usize) -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>",
    ];
    let mut text = format!("%PDF-1.4\n%{}\n", "x".repeat(size.saturating_sub(330)));
    let mut table = String::new();
    for (place, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", text.len());
        text += &format!("{} 0 obj\n{object}\nendobj\n", place + 1);
    }
    let start = text.len();
    text += &format!("xref\n0 4\n0000000000 65535 f \n{table}trailer\n<</Size 4/Root 1 0 R>>\n");
    text += &format!("startxref\n{start}\n%%EOF\n");
    padded(text.into_bytes(), size, b'\n')
}

/// A zip archive with one member, as it is.
#[must_use]
pub fn archive(size: usize) -> Vec<u8> {
    let (name, data) = (b"note.txt", vec![b'x'; size.saturating_sub(114).max(1)]);
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut common = vec![10, 0, 0, 0, 0, 0, 0, 0, 33, 0];
    common.extend_from_slice(&crc32(&data).to_le_bytes());
    common.extend_from_slice(&[length, length].concat());
    common.extend_from_slice(&[8, 0, 0, 0]);
    let local = [b"PK\x03\x04".as_slice(), &common, name, &data].concat();
    let central = [b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 14], name].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&u32::try_from(central.len()).unwrap_or(u32::MAX).to_le_bytes());
    end.extend_from_slice(&u32::try_from(local.len()).unwrap_or(u32::MAX).to_le_bytes());
    end.extend_from_slice(&[0, 0]);
    [local, central, end].concat()
}

/// A form with files, to be sent as `multipart/form-data`.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<Part>);

#[derive(Clone, Debug)]
struct Part {
    head: String,
    content: Bytes,
}

impl Part {
    fn name(&self) -> Option<&str> {
        let (_, rest) = self.head.split_once(" name=\"")?;
        rest.split('"').next()
    }
}

impl Form {
    /// What stands between its parts.
    pub const BOUNDARY: &'static str = "walk-5f3a9c1e7b";

    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a field.
    #[must_use]
    pub fn text(self, name: &str, value: impl Into<Bytes>) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), None, value)
    }

    /// With a file.
    #[must_use]
    pub fn file(self, name: &str, file_name: &str, media_type: &str, content: impl Into<Bytes>) -> Self {
        let disposition = format!("form-data; name=\"{name}\"; filename=\"{file_name}\"");
        self.part(&disposition, Some(media_type), content)
    }

    /// Without the parts of a name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|part| part.name() != Some(name));
        self
    }

    /// The names and values of its fields, without files.
    pub fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        let texts = self.0.iter().filter(|part| !part.head.contains("filename"));
        texts.filter_map(|part| Some((part.name()?, String::from_utf8_lossy(&part.content).into_owned())))
    }

    /// With a part whose disposition is what it is given as.
    #[must_use]
    pub fn part(mut self, disposition: &str, media_type: Option<&str>, content: impl Into<Bytes>) -> Self {
        let mut head = format!("Content-Disposition: {disposition}\r\n");
        if let Some(media_type) = media_type {
            head += &format!("Content-Type: {media_type}\r\n");
        }
        self.0.push(Part { head, content: content.into() });
        self
    }

    /// The content type.
    #[must_use]
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", Self::BOUNDARY)
    }

    /// The body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut body = Vec::new();
        for Part { head, content } in &self.0 {
            body.extend_from_slice(format!("--{}\r\n{head}\r\n", Self::BOUNDARY).as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{}--\r\n", Self::BOUNDARY).as_bytes());
        body.into()
    }
}
