//! Profile pictures.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader, Limits, Rgba};

use super::off_thread::OffThread;
use crate::error::{Error, Problem, Result};

/// The largest picture that is taken, in bytes: 2 MB.
pub const MAX_PICTURE: usize = 2 * 1024 * 1024;
/// Width and height of a picture as it is kept, in pixels.
pub const PICTURE_SIDE: u32 = 1_024;

/// The largest side of a picture that is decoded, in pixels. A small file can be an immense picture.
const MAX_SIDE: u32 = 8_192;
/// The most memory that decoding may take, in bytes.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// How many pictures are worked on at a time: each may take twice the memory of decoding, and anybody may send one.
const AT_ONCE: usize = 2;

/// Makes pictures of what people upload: off the async threads, a bounded number at a time.
#[derive(Debug)]
pub(crate) struct Pictures {
    off_thread: OffThread,
}

impl Pictures {
    pub(crate) fn new() -> Self {
        Self { off_thread: OffThread::new(AT_ONCE) }
    }

    /// Turns an uploaded PNG or JPEG into the picture that is kept: a JPEG of exactly 1024 by 1024 pixels, cut evenly at
    /// its longer sides and scaled until it fills the square, without what the camera wrote beside it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for the field `image`: too large, of another format whatever its name says, or damaged.
    pub(super) async fn fit(&self, content: Bytes) -> Result<Bytes> {
        self.off_thread.run(move || fit(&content)).await?
    }
}

fn fit(content: &[u8]) -> Result<Bytes> {
    let refused = |text: &str| Error::invalid("image", Problem::File(text.to_owned()));
    if content.is_empty() {
        return Err(refused("The file is empty."));
    }
    if content.len() > MAX_PICTURE {
        return Err(Error::invalid("image", Problem::FileSize(MAX_PICTURE as u64)));
    }
    let format = match image::guess_format(content) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err(refused("Only PNG and JPEG pictures are accepted.")),
    };
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| refused("The picture is damaged or too large to be read."))?;
    let square = squared(picture).resize_exact(PICTURE_SIDE, PICTURE_SIDE, FilterType::Triangle);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&flat(&square)).map_err(Error::internal)?;
    Ok(jpeg.into())
}

/// The square in the middle of a picture. It is cut out before anything is scaled: what a narrow picture is as a whole,
/// once its short side has the size wanted, may be immense.
fn squared(picture: DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    if width == height {
        picture
    } else {
        picture.crop_imm((width - side) / 2, (height - side) / 2, side, side)
    }
}

/// The picture on white where it was transparent, which JPEG cannot say.
fn flat(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.to_rgb8());
    }
    let mut below = image::RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([255; 4]));
    image::imageops::overlay(&mut below, &picture.to_rgba8(), 0, 0);
    DynamicImage::ImageRgba8(below).to_rgb8().into()
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, Rgb};

    use super::*;

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture is written");
        bytes.into_inner()
    }

    #[test]
    fn a_picture_of_any_shape_becomes_a_square_jpeg() {
        for (width, height) in [(8, 8), (300, 20), (20, 300), (2_000, 1_500)] {
            let picture = DynamicImage::ImageRgb8(ImageBuffer::from_pixel(width, height, Rgb([9, 99, 199])));
            let kept = fit(&png(&picture)).expect("a picture");
            assert_eq!(image::guess_format(&kept).ok(), Some(ImageFormat::Jpeg));
            let read = image::load_from_memory(&kept).expect("a picture");
            assert_eq!((read.width(), read.height()), (1_024, 1_024));
        }
    }

    /// As a whole such a picture would be eight million pixels long, once it were high enough.
    #[test]
    fn a_line_of_pixels_takes_no_more_than_its_middle() {
        for (width, height) in [(8_192, 1), (1, 8_192), (8_192, 2)] {
            let mut line = ImageBuffer::from_pixel(width, height, Rgb([0, 0, 0]));
            let (x, y) = (width.saturating_sub(height) / 2, height.saturating_sub(width) / 2);
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                if let Some(pixel) = line.get_pixel_mut_checked(x + dx, y + dy) {
                    *pixel = Rgb([250, 250, 250]);
                }
            }
            let kept = fit(&png(&DynamicImage::ImageRgb8(line))).expect("a picture");
            let read = image::load_from_memory(&kept).expect("a picture").to_rgb8();
            assert_eq!((read.width(), read.height()), (1_024, 1_024));
            assert!(read.get_pixel(512, 512).0.iter().all(|shade| *shade > 240), "the middle is kept");
        }
    }

    #[test]
    fn what_was_transparent_becomes_white() {
        let clear = DynamicImage::ImageRgba8(ImageBuffer::from_pixel(4, 4, Rgba([0, 0, 0, 0])));
        let kept =
            image::load_from_memory(&fit(&png(&clear)).expect("a picture")).expect("a picture").to_rgb8();
        assert_eq!(kept.get_pixel(500, 500), &Rgb([255, 255, 255]));
    }

    #[test]
    fn what_is_no_picture_is_refused_whatever_it_is_called() {
        let grey = DynamicImage::ImageLuma8(ImageBuffer::from_pixel(9_000, 1, Luma([0])));
        let damaged = png(&grey)[..40].to_vec();
        for content in [&b""[..], b"GIF89a\x01\0\x01\0", b"<svg/>", &png(&grey), &damaged] {
            assert!(matches!(fit(content), Err(Error::Invalid(_))));
        }
        assert!(matches!(fit(&vec![0; MAX_PICTURE + 1]), Err(Error::Invalid(_))));
    }
}
