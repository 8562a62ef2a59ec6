//! What the demo says: Chinese first, English beside it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the demo's voice"
)]

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// A step begins.
pub(crate) fn step(zh: &str, en: &str) {
    println!("· {zh}  {en}");
}

/// How the replay goes on; on a terminal the line is written over.
pub(crate) fn progress(minute: u32, fixes: usize, incidents: usize, bytes_up: u64) {
    let (hour, minute) = (minute / 60, minute % 60);
    let kilobytes = bytes_up / 1024;
    let line = format!(
        "  {hour:02}:{minute:02}  定位 fixes {fixes:>6}  事件 incidents {incidents:>3}  上行 up {kilobytes:>5} KiB"
    );
    if std::io::stdout().is_terminal() {
        print!("\r{line}");
        if minute == 0 && hour == crate::plan::END / 60 {
            println!();
        }
        let _ = std::io::stdout().flush();
    } else if minute == 0 {
        println!("{line}");
    }
}

/// A line is complete.
pub(crate) fn line_end() {
    if std::io::stdout().is_terminal() {
        println!();
    }
}

/// Where to look, and at what.
pub(crate) fn invitation(url: &str, logins: &[(&str, &str, &str)], took: Duration) {
    println!();
    println!("  打开 open   {url}    ({:.0} s)", took.as_secs_f64());
    for (who, name, password) in logins {
        println!("  登录 login  {name}  {password}   {who}");
    }
    println!();
    for (zh, en) in LOOK_AT {
        println!("  - {zh}\n    {en}");
    }
    println!();
    println!("  Ctrl-C 结束 ends it");
}

const LOOK_AT: [(&str, &str); 5] = [
    (
        "地图：兰山街道十二名网格员当天的路线；中断处不画线。点一条路线，按时间回放。",
        "The map: the day's routes of twelve gridworkers; a gap is not a line. Click one and replay it.",
    ),
    (
        "网格员 08：应用在巡查途中被系统杀掉，七分钟后重开，路线有一处中断，一个点也没丢。",
        "Worker 08: the app was killed in mid-patrol and opened seven minutes later: a gap, and no fix lost.",
    ),
    (
        "事件：照片由程序绘制；同步前地下室、断网、暂停都照常记录。",
        "Incidents: the photos are drawn. Basements, lost networks and pauses were recorded all the same.",
    ),
    (
        "事件“沿街饭店超量存放液化气瓶”一直上报到区，“小河沟漂浮垃圾”已逾期；“记录”里有任务、通知、走访、巡查结果。",
        "One incident went up to the district, one is overdue; under Records are tasks, a notice, a visit, findings.",
    ),
    (
        "网格员 03：刚刚报到后断网，还有未上报的记录，列表里写明条数和时间。",
        "Worker 03: lost the network right after saying hello; the list tells how much is unsent and since when.",
    ),
];

/// The last line: one JSON object.
pub(crate) fn result(json: &str) {
    println!("{json}");
}

/// What went wrong: what, where, what to do.
pub(crate) fn failed(error: &anyhow::Error) {
    eprintln!("演示中止 The demo ended: {error:#}");
}
