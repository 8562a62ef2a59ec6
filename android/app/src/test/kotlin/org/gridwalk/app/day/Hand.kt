// What Robolectric lets a test play is in part what apps no longer ask.
@file:Suppress("DEPRECATION")

package org.gridwalk.app.day

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.Manifest.permission.POST_NOTIFICATIONS
import android.app.Activity
import android.app.Application
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.location.Location
import android.location.LocationManager
import android.net.ConnectivityManager
import android.net.NetworkInfo
import android.net.Uri
import android.os.BatteryManager
import android.os.Looper
import android.os.PowerManager
import android.provider.MediaStore
import androidx.annotation.StringRes
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.isEnabled
import androidx.compose.ui.test.isRoot
import androidx.compose.ui.test.junit4.ComposeTestRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.onLast
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performTextInput
import androidx.test.core.app.ActivityScenario
import androidx.test.core.app.ApplicationProvider
import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.testing.WorkManagerTestInitHelper
import java.io.ByteArrayOutputStream
import java.io.File
import java.time.Duration
import java.time.Instant
import java.util.concurrent.locks.LockSupport
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.gridwalk.app.MainActivity
import org.gridwalk.app.words.Words
import org.gridwalk.core.Status
import org.gridwalk.shared.CoreState
import org.gridwalk.shared.Gridwalk
import org.gridwalk.shared.location.PatrolNotification
import org.gridwalk.shared.location.PatrolService
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ServiceController
import org.robolectric.shadows.ShadowNetworkInfo

/** A large picture, as a camera makes them. */
private fun scene(): Bitmap = Bitmap.createBitmap(3000, 2000, Bitmap.Config.ARGB_8888).also { bitmap ->
    val canvas = Canvas(bitmap)
    canvas.drawColor(Color.LTGRAY)
    val paint = Paint().apply { color = Color.RED }
    for (step in 0 until 20) canvas.drawCircle(150f * step, 100f * step, 80f, paint)
}

fun jpeg(): ByteArray = ByteArrayOutputStream().also { scene().compress(Bitmap.CompressFormat.JPEG, 90, it) }.toByteArray()

/** A worker's hand and eyes, and what of the system answers them. */
class Hand(private val rule: ComposeTestRule) {
    val app: TestApp = ApplicationProvider.getApplicationContext()
    val words get() = Words(app.resources)
    lateinit var scenario: ActivityScenario<MainActivity>
    private var service: ServiceController<PatrolService>? = null

    fun say(@StringRes text: Int, vararg values: Any) = words.say(text, *values)

    /** Waits for a fact; the deadline only ends a run that would never end. */
    fun until(what: String, isSo: () -> Boolean) {
        val deadline = Instant.now() + NEVER
        while (true) {
            shadowOf(Looper.getMainLooper()).idle()
            rule.mainClock.advanceTimeByFrame()
            if (isSo()) return
            check(Instant.now() < deadline) { "never: $what; on the screen: ${texts()}; core: ${core()}; sync: ${app.sync.state.value}" }
            LockSupport.parkNanos(1_000_000)
        }
    }

    private fun core(): String = app.core.state.value.let { if (it is CoreState.Failed) it.error.stackTraceToString() else "$it" }

    fun sees(text: String, substring: Boolean = true): Boolean =
        rule.onAllNodes(hasText(text, substring), useUnmergedTree = true).fetchSemanticsNodes(atLeastOneRootRequired = false).isNotEmpty()

    fun awaits(@StringRes text: Int, vararg values: Any) = awaits(say(text, *values))

    fun awaits(text: String) = until("\"$text\" is seen") { sees(text) }

    /** Presses what bears this text, once it can be pressed. */
    fun presses(@StringRes text: Int) = presses(say(text))

    fun presses(text: String, byDescription: Boolean = false) {
        val named = if (byDescription) hasContentDescription(text) else hasText(text)
        val pressable = named and hasClickAction() and isEnabled()
        until("\"$text\" can be pressed") { rule.onAllNodes(pressable).fetchSemanticsNodes(atLeastOneRootRequired = false).isNotEmpty() }
        rule.onAllNodes(pressable).onFirst().run {
            runCatching { performScrollTo() }
            performClick()
        }
    }

    fun types(@StringRes label: Int, text: String) = rule.onNode(hasText(say(label)) and hasSetTextAction()).performTextInput(text)

    /** Where a question over the screen bears the same word as the button that called it. */
    fun pressesLast(@StringRes text: Int) {
        rule.onAllNodes(hasText(say(text)) and hasClickAction()).onLast().performClick()
    }

    /** The incidents as the core has them. */
    suspend fun incidents(core: Gridwalk) = core.everything.first().incidents

    fun texts(): List<String> = rule.onAllNodes(isRoot(), useUnmergedTree = true).fetchSemanticsNodes(atLeastOneRootRequired = false)
        .flatMap { it.all() }
        .mapNotNull { node -> node.config.getOrElseNullable(SemanticsProperties.Text) { null }?.joinToString() }

    private fun SemanticsNode.all(): List<SemanticsNode> = listOf(this) + children.flatMap { it.all() }

    fun status(): Status = runBlocking { app.core.gridwalk().status() }

    fun activity(): Activity {
        var found: Activity? = null
        scenario.onActivity { found = it }
        return found!!
    }

    /** The system's own question for permissions, answered. */
    fun answersPermissions(granted: Boolean) {
        until("the system asks") { shadowOf(activity()).lastRequestedPermission != null }
        val asked = shadowOf(activity()).lastRequestedPermission
        if (granted) grants()
        val answer = if (granted) PackageManager.PERMISSION_GRANTED else PackageManager.PERMISSION_DENIED
        scenario.onActivity { it.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, IntArray(asked.requestedPermissions.size) { answer }) }
    }

    fun grants() = shadowOf(app as Application).grantPermissions(ACCESS_FINE_LOCATION, ACCESS_COARSE_LOCATION, POST_NOTIFICATIONS)

    /** Robolectric notes that a service was started; it runs only when told. */
    fun letsTheServiceRun() {
        until("the service is started") { shadowOf(app as Application).peekNextStartedService() != null }
        val intent: Intent = shadowOf(app as Application).nextStartedService
        val running = service ?: Robolectric.buildService(PatrolService::class.java, intent).create().also { service = it }
        running.startCommand(0, 1)
        until("the sensor is asked") { listeners() > 0 }
    }

    fun serviceIsStopped() = service?.get()?.let { shadowOf(it).isStoppedBySelf } ?: false

    /** How often the sensor is asked, in milliseconds. */
    fun asked(): Long = shadowOf(locations()).getLocationRequests(LocationManager.GPS_PROVIDER).single().intervalMillis

    /** The system saves power, the screen goes off, and positions with it; or all of that ends. */
    fun savesPower(on: Boolean) {
        val power = app.getSystemService(PowerManager::class.java)
        shadowOf(power).setIsPowerSaveMode(on)
        shadowOf(power).setLocationPowerSaveMode(if (on) PowerManager.LOCATION_MODE_ALL_DISABLED_WHEN_SCREEN_OFF else PowerManager.LOCATION_MODE_NO_CHANGE)
        shadowOf(power).turnScreenOn(!on)
        app.sendBroadcast(Intent(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED))
    }

    fun hasBattery(percent: Int) = app.sendStickyBroadcast(
        Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_LEVEL, percent).putExtra(BatteryManager.EXTRA_SCALE, 100).putExtra(BatteryManager.EXTRA_PLUGGED, 0),
    )

    fun listeners(): Int = shadowOf(locations()).getLocationRequests(LocationManager.GPS_PROVIDER).size

    private fun locations() = app.getSystemService(LocationManager::class.java)

    fun switchesGps(on: Boolean) = shadowOf(locations()).setProviderEnabled(LocationManager.GPS_PROVIDER, on)

    /** Mobile data, which somebody pays by the byte, or Wi-Fi, after there was none. */
    fun joins(wifi: Boolean) {
        val type = if (wifi) ConnectivityManager.TYPE_WIFI else ConnectivityManager.TYPE_MOBILE
        val joined = ShadowNetworkInfo.newInstance(NetworkInfo.DetailedState.CONNECTED, type, 0, true, NetworkInfo.State.CONNECTED)
        val manager = app.getSystemService(ConnectivityManager::class.java)
        shadowOf(manager).setActiveNetworkInfo(joined)
        val network = manager.activeNetwork!!
        for (callback in shadowOf(manager).networkCallbacks.toList()) {
            callback.onLost(network)
            callback.onAvailable(network)
        }
    }

    /** What the notification of the patrol says. */
    fun notified(): String? = shadowOf(app.getSystemService(NotificationManager::class.java)).getNotification(PatrolNotification.ID)
        ?.let { shadowOf(it).contentTitle?.toString() }

    fun works(name: String): List<WorkInfo> = WorkManager.getInstance(app).getWorkInfosForUniqueWork(name).get()

    /** There is the network that this waiting work was told to wait for. */
    fun letsWorkRun(name: String) {
        val driver = WorkManagerTestInitHelper.getTestDriver(app)!!
        works(name).filter { !it.state.isFinished }.forEach { driver.setAllConstraintsMet(it.id) }
    }

    /** The phone is carried along; returns when all of it is durable. */
    fun walks(fixes: List<Location>, total: Int) {
        for (fix in fixes) {
            shadowOf(locations()).simulateLocation(fix)
            shadowOf(Looper.getMainLooper()).idle()
        }
        until("$total fixes are recorded") { status().patrol?.fixes == total.toULong() }
    }

    /** The system's camera: writes a large picture where it was told to. */
    fun photographs() {
        until("the camera is opened") { shadowOf(activity()).peekNextStartedActivityForResult() != null }
        val asked = shadowOf(activity()).nextStartedActivityForResult.intent
        check(asked.action == MediaStore.ACTION_IMAGE_CAPTURE)
        val uri: Uri = asked.getParcelableExtra(MediaStore.EXTRA_OUTPUT)!!
        app.contentResolver.openOutputStream(uri)!!.use { it.write(jpeg()) }
        scenario.onActivity { shadowOf(it).receiveResult(asked, Activity.RESULT_OK, null) }
    }

    /** What is seen now, as a picture to be looked at; fails where nothing was drawn. */
    fun draws(file: File) {
        val view = activity().window.decorView
        val picture = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(picture))
        val row = IntArray(view.width)
        val colors = (0 until view.height step 8).flatMapTo(mutableSetOf()) { y -> row.also { picture.getPixels(it, 0, view.width, 0, y, view.width, 1) }.asIterable() }
        check(colors.size > 10) { "hardly anything is drawn: ${colors.size} colours" }
        file.parentFile?.mkdirs()
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private companion object {
        val NEVER: Duration = Duration.ofSeconds(90)
    }
}
