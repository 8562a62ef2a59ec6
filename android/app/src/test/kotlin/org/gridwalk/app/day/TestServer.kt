package org.gridwalk.app.day

import java.io.File

/** The real server's program, on a port of its own, or in the place of another. */
class TestServer(private val folder: File, listen: String = "127.0.0.1:0") : AutoCloseable {
    /** Address and port. */
    var listen = listen
        private set

    private var process: Process? = null
    private var workers = 0

    val url get() = "http://$listen"

    init {
        verb("import", repositoryFile("tests/bindings/grids.geojson").path, "--crs", "wgs84")
        start()
    }

    /** On the same port as before: the phones know this address. */
    fun start() {
        val serving = program("serve", "--listen", listen).redirectError(ProcessBuilder.Redirect.appendTo(File(folder.path + ".log"))).start()
        process = serving
        val address = Regex("http://([\\d.]+:\\d+)")
        listen = serving.inputStream.bufferedReader().lineSequence().firstNotNullOf { address.find(it) }.groupValues[1]
    }

    fun stop() {
        process?.destroy()
        process?.waitFor()
    }

    override fun close() = stop()

    /** The text of the QR code of a worker who is new. */
    fun invitation(): String = Regex("gridwalk://enrol\\?\\S+").find(verb("enrol", "--url", url, "--grid", GRID, "测试网格员${++workers}"))!!.value

    /** What the server itself says that it holds, as JSON. */
    fun holdings(): String = verb("holdings")

    /** The phone of this id was reported stolen. */
    fun reportStolen(device: String) = verb("device", "revoke", device, "--stolen")

    private fun verb(verb: String, vararg arguments: String): String {
        val run = program(verb, *arguments).redirectErrorStream(true).start()
        val told = run.inputStream.bufferedReader().readText()
        check(run.waitFor() == 0) { "$verb: $told" }
        return told
    }

    private fun program(verb: String, vararg arguments: String) =
        ProcessBuilder(System.getProperty("gridwalk.server"), verb, "--data", folder.path, *arguments)

    companion object {
        const val GRID = "990001001001001"
        const val GRID_NAME = "测试社区第一网格"

        fun repositoryFile(path: String) = File(File(System.getProperty("gridwalk.android")!!).parentFile, path)
    }
}
