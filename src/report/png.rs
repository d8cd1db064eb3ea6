//! The graph as a PNG, for places that show no page: a Slack thread, a ticket.

use std::sync::Arc;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::{draw, layout::title, model::Report};
use crate::time::Clock;

/// Fonts that come with the program: without one a picture would have no text at all, and with the machine's fonts
/// another picture on every machine.
const FONTS: [&[u8]; 3] = [
    include_bytes!("draw/font/DejaVuSans.ttf"),
    include_bytes!("draw/font/DejaVuSans-Bold.ttf"),
    include_bytes!("draw/font/DejaVuSansMono.ttf"),
];

/// Pixels a unit of the picture, and how wide or high it may become.
const SCALE: f32 = 2.0;
const MOST: f32 = 4_000.0;

/// The service graph under the verdict, on white; `None` where nobody called anybody.
pub fn png(report: &Report, clock: &Clock) -> Option<Vec<u8>> {
    let svg = draw::graph(report, clock)?.alone(&title(report));
    let mut fonts = Database::new();
    for font in FONTS {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("DejaVu Sans");
    fonts.set_monospace_family("DejaVu Sans Mono");
    let options = Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(&svg, &options).ok()?;
    let size = tree.size();
    let scale = SCALE.min(MOST / size.width()).min(MOST / size.height());
    let pixels = size.to_int_size().scale_by(scale)?;
    let mut image = Pixmap::new(pixels.width(), pixels.height())?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut image.as_mut());
    image.encode_png().ok()
}
