/**
 * A phone that records until it is killed: prints `acked N` after each fix.
 * Arguments: the phone's folder, its key in hex.
 */
object Recorder {
    @OptIn(ExperimentalStdlibApi::class)
    @JvmStatic
    fun main(arguments: Array<String>) {
        val engine = Phone(java.io.File(arguments[0]), arguments[1].hexToByteArray()).open()
        for (fix in trace(700..899, endsMs = nowMs() - 300_000)) {
            println("acked ${engine.record(listOf(fix)).acked}")
            System.out.flush()
        }
        // All fixes are there; the patrol stays open until somebody kills this.
        System.`in`.read()
    }
}
