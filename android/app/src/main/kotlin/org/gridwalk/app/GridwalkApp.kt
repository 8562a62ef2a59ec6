package org.gridwalk.app

import android.app.Application
import androidx.work.Configuration
import androidx.work.WorkManager
import java.io.File
import java.security.SecureRandom
import java.time.Instant
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.gridwalk.core.EngineException
import org.gridwalk.shared.Core
import org.gridwalk.shared.FfiGridwalk
import org.gridwalk.shared.GridwalkHost
import org.gridwalk.shared.key.KeyLost
import org.gridwalk.shared.key.KeyProvider
import org.gridwalk.shared.key.KeyWrapper
import org.gridwalk.shared.key.KeystoreWrapper
import org.gridwalk.shared.key.WrappedKeyProvider
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.location.Recording
import org.gridwalk.shared.location.Supply
import org.gridwalk.shared.location.SystemLocationSource
import org.gridwalk.shared.location.SystemSupply
import org.gridwalk.shared.sync.Networks
import org.gridwalk.shared.sync.SyncRunner
import org.gridwalk.shared.sync.SyncSchedule

/** The process: one open core, which the activity, the location service and the sync worker share. */
open class GridwalkApp : Application(), GridwalkHost, Configuration.Provider {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    // Outside every backup, as is its key.
    protected open val folder: File get() = noBackupFilesDir
    private val data: File by lazy { File(folder, "gridwalk.db") }

    override val core: Core by lazy { Core(scope, keys::destroy) { withContext(Dispatchers.IO) { FfiGridwalk.open(data.path, keys.key(), version()) } } }

    val clock = WallClock { Instant.now().toEpochMilli() }

    private val networks by lazy { Networks(this) }

    override val sync: SyncRunner by lazy { SyncRunner(core, networks::cost) }

    private val schedule by lazy { SyncSchedule(WorkManager.getInstance(this)) }

    override val locations: LocationSource by lazy { SystemLocationSource(this) }

    override val supply: Supply by lazy { SystemSupply(this) }

    override val recording = MutableStateFlow<Recording>(Recording.Over)

    val troubles: Troubles by lazy { Troubles(locations, recording, clock.ticks()) }

    /** Photos between the camera and the save. */
    val photos: File get() = File(cacheDir, "photos")

    override val workManagerConfiguration: Configuration get() = Configuration.Builder().build()

    /** What seals the key of the data file. */
    protected open fun keyWrapper(): KeyWrapper = KeystoreWrapper()

    private val keys: KeyProvider by lazy {
        WrappedKeyProvider(File(folder, "gridwalk.key"), data, keyWrapper()) { size -> ByteArray(size).also(SecureRandom()::nextBytes) }
    }

    override fun onCreate() {
        super.onCreate()
        networks.watch { scope.launch { networkReturned() } }
    }

    private suspend fun networkReturned() {
        try {
            core.gridwalk().networkReturned()
        } catch (_: EngineException) {
            // What cannot be opened sends nothing either.
            return
        } catch (_: KeyLost) {
            return
        }
        syncSoon()
    }

    /** Something was saved: it is sent as soon as the engine says so. */
    fun syncSoon() = schedule.soon()

    fun syncRegularly() = schedule.regularly()

    private fun version(): String = packageManager.getPackageInfo(packageName, 0).versionName ?: "0"
}
