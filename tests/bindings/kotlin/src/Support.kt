/** What the tests need around the library: a real server, phones, a trace. */

import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.Structure
import org.gridwalk.core.Change
import org.gridwalk.core.Engine
import org.gridwalk.core.Fix
import org.gridwalk.core.NewIncident
import org.gridwalk.core.NewPhoto
import org.gridwalk.core.Observer
import org.gridwalk.core.OpenOptions
import org.gridwalk.core.Place
import org.gridwalk.core.SyncObserver
import org.gridwalk.core.SyncProgress
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.io.File
import java.lang.ref.WeakReference
import java.security.SecureRandom
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import javax.imageio.ImageIO
import kotlin.random.Random

const val GRID = "990001001001001"

/** Nothing here waits for a time; this only ends a run that would never end. */
const val NEVER_S = 60L

private val TRACE = File(System.getProperty("gridwalk.fixtures"), "tracks/phone_304_to_ul_2019_02_18_0745.csv")

/** The real server, on a port of its own. */
class Server(private val folder: File) : AutoCloseable {
    private var listen = "127.0.0.1:0"
    private var workers = 0
    private lateinit var process: Process
    val url get() = "http://$listen"

    init {
        verb("import", System.getProperty("gridwalk.grids"), "--crs", "wgs84")
        start()
    }

    fun start() {
        process = program("serve", "--listen", listen)
            .redirectError(ProcessBuilder.Redirect.appendTo(File("$folder.log")))
            .start()
        val address = Regex("http://([\\d.]+:\\d+)")
        // The same port again after a stop: the phones know this address.
        listen = process.inputReader().lineSequence().firstNotNullOf { address.find(it) }.groupValues[1]
    }

    fun stop() {
        process.destroy()
        process.waitFor()
    }

    override fun close() = stop()

    /** A one-time code for a worker who is new. */
    fun invitation(): String {
        val told = verb("enrol", "--url", url, "--grid", GRID, "测试网格员${++workers}")
        return Regex("gridwalk://enrol\\?\\S+").find(told)!!.value
    }

    /** What the server itself says that it holds, as JSON. */
    fun holdings(): String = verb("holdings")

    private fun verb(verb: String, vararg arguments: String): String {
        val run = program(verb, *arguments).redirectErrorStream(true).start()
        val told = run.inputReader().readText()
        check(run.waitFor() == 0) { "$verb: $told" }
        return told
    }

    private fun program(verb: String, vararg arguments: String) =
        ProcessBuilder(System.getProperty("gridwalk.server"), verb, "--data", folder.path, *arguments)
}

/** A phone's folder and key; what is in memory comes and goes. */
class Phone(val folder: File, val key: ByteArray = ByteArray(32).also(SecureRandom()::nextBytes)) {
    fun options(key: ByteArray = this.key): OpenOptions {
        folder.mkdirs()
        return OpenOptions(File(folder, "phone.db").path, key, "terminal", "0.0.0")
    }

    fun open(): Engine = Engine.open(options())
}

fun nowMs(): Long = System.currentTimeMillis()

/** Fixes of a real trace, moved in time alone. */
fun trace(rows: IntRange, startsMs: Long? = null, endsMs: Long? = null): List<Fix> {
    val cells = TRACE.readLines().drop(1).slice(rows).map { it.split(',') }
    val shift = when {
        startsMs != null -> startsMs - cells.first()[0].toLong()
        else -> endsMs!! - cells.last()[0].toLong()
    }
    return cells.map {
        Fix(
            timeMs = it[0].toLong() + shift,
            lat = it[1].toDouble(),
            lon = it[2].toDouble(),
            accuracyM = it[4].toFloatOrNull(),
            altitudeM = it[3].toFloatOrNull(),
            speedMps = it[5].toFloatOrNull(),
            bearingDeg = it[6].toFloatOrNull(),
            mocked = false,
        )
    }
}

/** A JPEG of noise; the larger its side, the larger its file. */
fun photo(side: Int): NewPhoto {
    val image = BufferedImage(side, side, BufferedImage.TYPE_INT_RGB)
    for (x in 0 until side) for (y in 0 until side) image.setRGB(x, y, Random.nextInt())
    val bytes = ByteArrayOutputStream().also { ImageIO.write(image, "jpeg", it) }.toByteArray()
    return NewPhoto(bytes, "image/jpeg")
}

fun incident(title: String, vararg photos: NewPhoto, category: String = "fire_safety") = NewIncident(
    category = category,
    severity = null,
    title = title,
    description = "三楼楼道堆放杂物，已拍照",
    place = Place(52.6291, -8.6617, 8.0),
    photos = photos.toList(),
)

/** glibc's account of what malloc has given and not got back. */
@Structure.FieldOrder(
    "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
)
@Suppress("unused", "SpellCheckingInspection")
open class MallocInfo : Structure() {
    @JvmField var arena = 0L
    @JvmField var ordblks = 0L
    @JvmField var smblks = 0L
    @JvmField var hblks = 0L
    @JvmField var hblkhd = 0L
    @JvmField var usmblks = 0L
    @JvmField var fsmblks = 0L
    @JvmField var uordblks = 0L
    @JvmField var fordblks = 0L
    @JvmField var keepcost = 0L

    class ByValue : MallocInfo(), Structure.ByValue
}

private interface CLibrary : Library {
    fun mallinfo2(): MallocInfo.ByValue
}

private val C = Native.load("c", CLibrary::class.java)

/**
 * What malloc has given and not got back, in KB. Resident memory would not do:
 * a leak first fills the pages that earlier work left behind.
 */
fun allocatedKb(): Long = C.mallinfo2().let { (it.uordblks + it.hblkhd) / 1024 }

/** Whether the collector can have it: a full collection takes all that nobody holds. */
fun isForgotten(watched: WeakReference<*>): Boolean {
    repeat(100) {
        if (watched.get() == null) return true
        System.gc()
    }
    return false
}

/** Collects what a subscription tells, and from which threads. */
class Changes(private val fails: Boolean = false) : Observer {
    val told = LinkedBlockingQueue<Change>()
    val threads: MutableSet<Thread> = ConcurrentHashMap.newKeySet()

    override fun changed(change: Change) {
        threads += Thread.currentThread()
        told += change
        check(!fails) { "this observer always fails" }
    }

    fun next(): Change = told.poll(NEVER_S, TimeUnit.SECONDS) ?: error("nothing was told")

    /** The first change of this kind that fits. */
    inline fun <reified T : Change> until(fits: (T) -> Boolean = { true }): T {
        while (true) {
            val change = next()
            if (change is T && fits(change)) return change
        }
    }
}

/** Collects progress; may do something at each call. */
class Progress(private val then: (SyncProgress) -> Unit = {}) : SyncObserver {
    val seen = mutableListOf<SyncProgress>()

    override fun progress(progress: SyncProgress) {
        seen += progress
        then(progress)
    }
}
