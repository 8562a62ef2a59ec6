//! The page is built apart (sync-server/web, `npm run build`). Without it the
//! server builds all the same and says on its front page what is missing.

use std::path::Path;

fn main() {
    let dist = Path::new("../web/dist");
    println!("cargo::rerun-if-changed=../web/dist");
    println!("cargo::rustc-check-cfg=cfg(page_built)");
    if dist.join("index.html").is_file() {
        println!("cargo::rustc-cfg=page_built");
    }
}
