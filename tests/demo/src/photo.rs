//! Pictures for the demo's incidents: drawn, not taken, so that nobody's home
//! is shown. Each is a little different, as photos are.

use image::codecs::jpeg::JpegEncoder;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Transform};

const WIDTH: u32 = 960;
const HEIGHT: u32 = 720;

/// The photo of the demo's `index`-th incident, as a JPEG.
///
/// # Errors
/// Where the encoder fails.
pub(crate) fn take(category: &str, index: usize) -> anyhow::Result<Vec<u8>> {
    let mut canvas = Pixmap::new(WIDTH, HEIGHT).ok_or_else(|| anyhow::anyhow!("no canvas"))?;
    let mut scene = Scene {
        canvas: &mut canvas,
        dice: 0x9e37_79b9 ^ u32::try_from(index).unwrap_or(0),
    };
    match category {
        "hygiene" => scene.street_with_bags(),
        "fire_safety" => scene.stairwell_with_boxes(),
        "public_order" => scene.street_at_dusk(),
        _ => scene.room(),
    }
    jpeg(&canvas, WIDTH, HEIGHT)
}

fn jpeg(canvas: &Pixmap, width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    let rgb: Vec<u8> = canvas
        .pixels()
        .iter()
        .flat_map(|p| [p.red(), p.green(), p.blue()])
        .collect();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 82).encode(
        &rgb,
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}

/// A signature: a line that a finger drew, as a JPEG.
///
/// # Errors
/// Where it cannot be drawn.
pub(crate) fn sign(nth: usize) -> anyhow::Result<Vec<u8>> {
    let mut canvas = Pixmap::new(480, 160).ok_or_else(|| anyhow::anyhow!("no canvas"))?;
    canvas.fill(Color::WHITE);
    let mut line = PathBuilder::new();
    line.move_to(40.0, 100.0);
    for wave in 0..6u8 {
        let x = 40.0 + 65.0 * f32::from(wave);
        let high = if nth.is_multiple_of(2) { 30.0 } else { 55.0 };
        line.cubic_to(x + 20.0, high, x + 45.0, 150.0, x + 65.0, 95.0);
    }
    let path = line.finish().ok_or_else(|| anyhow::anyhow!("no line"))?;
    let stroke = tiny_skia::Stroke {
        width: 5.0,
        ..tiny_skia::Stroke::default()
    };
    canvas.stroke_path(
        &path,
        &Paint::default(),
        &stroke,
        Transform::identity(),
        None,
    );
    jpeg(&canvas, 480, 160)
}

struct Scene<'a> {
    canvas: &'a mut Pixmap,
    dice: u32,
}

impl Scene<'_> {
    /// A number between `low` and `high`; xorshift, so that a photo is the
    /// same in every run.
    fn roll(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.roll_whole() % 1000) as f32 / 1000.0
    }

    fn roll_whole(&mut self) -> u32 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 17;
        self.dice ^= self.dice << 5;
        self.dice
    }

    fn shade(&mut self, low: u8, high: u8) -> u8 {
        let span = u32::from(high - low);
        let step = self.roll_whole() % span.max(1);
        low + u8::try_from(step).unwrap_or(0)
    }

    fn fill(&mut self, path: &Path, rgb: [u8; 3]) {
        let mut paint = Paint::default();
        paint.set_color_rgba8(rgb[0], rgb[1], rgb[2], 255);
        self.canvas
            .fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    fn block(&mut self, x: f32, y: f32, w: f32, h: f32, rgb: [u8; 3]) {
        if let Some(rect) = Rect::from_xywh(x, y, w, h) {
            self.fill(&PathBuilder::from_rect(rect), rgb);
        }
    }

    fn blob(&mut self, x: f32, y: f32, radius: f32, rgb: [u8; 3]) {
        if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
            self.fill(&circle, rgb);
        }
    }

    fn slope(&mut self, corners: [(f32, f32); 4], rgb: [u8; 3]) {
        let mut path = PathBuilder::new();
        path.move_to(corners[0].0, corners[0].1);
        corners[1..].iter().for_each(|(x, y)| path.line_to(*x, *y));
        path.close();
        if let Some(path) = path.finish() {
            self.fill(&path, rgb);
        }
    }

    fn ground(&mut self, sky: [u8; 3], road: [u8; 3]) {
        self.canvas
            .fill(Color::from_rgba8(sky[0], sky[1], sky[2], 255));
        let horizon = self.roll(300.0, 380.0);
        self.block(0.0, horizon, 960.0, 720.0 - horizon, road);
        for house in 0..4 {
            let (x, tall) = (house as f32 * 250.0 - 40.0, self.roll(150.0, 280.0));
            let shade = self.shade(150, 200);
            self.block(
                x,
                horizon - tall,
                225.0,
                tall,
                [shade, shade - 8, shade - 20],
            );
            for window in 0..6 {
                let (column, row) = ((window % 3) as f32, (window / 3) as f32);
                let (wx, wy) = (x + 25.0 + column * 65.0, horizon - tall + 30.0 + row * 75.0);
                self.block(wx, wy, 42.0, 48.0, [96, 116, 132]);
            }
        }
    }

    fn street_with_bags(&mut self) {
        self.ground([206, 220, 230], [140, 140, 136]);
        let x = self.roll(250.0, 450.0);
        self.block(x, 360.0, 150.0, 210.0, [58, 122, 84]);
        self.block(x - 12.0, 340.0, 174.0, 30.0, [44, 96, 66]);
        for _ in 0..5 {
            let radius = self.roll(38.0, 68.0);
            let (bx, by) = (x + self.roll(-120.0, 330.0), self.roll(520.0, 620.0));
            let shade = self.shade(30, 70);
            self.blob(bx, by, radius, [shade, shade, shade + 8]);
        }
    }

    fn stairwell_with_boxes(&mut self) {
        self.canvas.fill(Color::from_rgba8(214, 208, 196, 255));
        self.block(0.0, 470.0, 960.0, 250.0, [158, 150, 140]);
        for step in 0..6 {
            let (x, y) = (520.0 + step as f32 * 62.0, 470.0 - step as f32 * 58.0);
            self.slope(
                [(x, y), (960.0, y), (960.0, y + 58.0), (x, y + 58.0)],
                [176 - step * 8, 168 - step * 8, 158 - step * 8],
            );
        }
        for _ in 0..6 {
            let (w, h) = (self.roll(90.0, 190.0), self.roll(70.0, 150.0));
            let (x, y) = (self.roll(40.0, 420.0), self.roll(430.0, 560.0));
            let shade = self.shade(120, 165);
            self.block(x, y, w, h, [shade + 40, shade + 8, shade - 40]);
            self.block(
                x + w * 0.44,
                y,
                w * 0.12,
                h,
                [shade + 62, shade + 40, shade],
            );
        }
    }

    fn street_at_dusk(&mut self) {
        self.ground([92, 104, 132], [70, 72, 80]);
        for lamp in 0..4 {
            let x = 130.0 + lamp as f32 * 230.0 + self.roll(-20.0, 20.0);
            self.block(x, 190.0, 10.0, 330.0, [40, 42, 48]);
            let lit = self.roll(0.0, 1.0) > 0.75;
            self.blob(
                x + 5.0,
                185.0,
                22.0,
                if lit { [250, 226, 150] } else { [58, 60, 66] },
            );
        }
        let x = self.roll(300.0, 560.0);
        self.blob(x, 640.0, 62.0, [48, 50, 54]);
        self.blob(x, 636.0, 50.0, [84, 86, 90]);
    }

    fn room(&mut self) {
        self.canvas.fill(Color::from_rgba8(228, 218, 200, 255));
        self.block(0.0, 520.0, 960.0, 200.0, [166, 132, 98]);
        let x = self.roll(120.0, 260.0);
        self.block(x, 120.0, 230.0, 200.0, [176, 206, 226]);
        self.block(x + 110.0, 120.0, 10.0, 200.0, [240, 236, 228]);
        self.block(430.0, 430.0, 330.0, 30.0, [120, 84, 56]);
        for leg in [450.0, 720.0] {
            self.block(leg, 460.0, 22.0, 130.0, [104, 72, 48]);
        }
        for cup in 0..2 {
            let cx = 500.0 + cup as f32 * 140.0 + self.roll(-15.0, 15.0);
            self.block(cx, 386.0, 44.0, 46.0, [238, 240, 242]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_differ_and_repeat() {
        let a = take("hygiene", 0).expect("drawn");
        assert_eq!(a, take("hygiene", 0).expect("drawn"));
        assert_ne!(a, take("hygiene", 1).expect("drawn"));
        assert!(a.starts_with(&[0xff, 0xd8]) && a.len() < 200_000);
    }
}
