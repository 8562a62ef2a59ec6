package org.gridwalk.app

import android.Manifest
import android.content.Intent
import android.content.pm.ApplicationInfo
import android.content.pm.PackageManager
import android.content.pm.ServiceInfo
import android.net.Uri
import androidx.test.core.app.ApplicationProvider
import org.gridwalk.shared.location.PatrolService
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** What the system is told about the app, merged from all its parts. */
@RunWith(RobolectricTestRunner::class)
class ManifestTest {
    private val app = ApplicationProvider.getApplicationContext<android.app.Application>()
    private val packages = app.packageManager

    @Test
    fun nothing_is_backed_up() {
        assertEquals(0, app.applicationInfo.flags and ApplicationInfo.FLAG_ALLOW_BACKUP)
        val rules = app.resources.getXml(R.xml.data_extraction_rules)
        val excluded = mutableSetOf<Pair<String, String>>()
        var part = ""
        while (rules.next() != org.xmlpull.v1.XmlPullParser.END_DOCUMENT) {
            if (rules.eventType != org.xmlpull.v1.XmlPullParser.START_TAG) continue
            if (rules.name == "exclude") excluded += part to rules.getAttributeValue(null, "domain") else part = rules.name
        }
        for (where in listOf("cloud-backup", "device-transfer")) for (domain in listOf("root", "file", "database", "sharedpref", "external")) {
            assertTrue("$where $domain", where to domain in excluded)
        }
    }

    @Test
    fun an_invitation_opens_the_app() {
        val scanned = Intent(Intent.ACTION_VIEW, Uri.parse("gridwalk://enrol?server=https://example.cn&code=AAAA-BBBB-CCCC"))
        assertEquals(listOf(MainActivity::class.java.name), packages.queryIntentActivities(scanned, 0).map { it.activityInfo.name })
        val other = Intent(Intent.ACTION_VIEW, Uri.parse("gridwalk://wipe"))
        assertEquals(emptyList<Any>(), packages.queryIntentActivities(other, 0))
    }

    @Test
    fun it_asks_for_no_more_than_it_says() {
        val info = packages.getPackageInfo(app.packageName, PackageManager.GET_PERMISSIONS)
        val asked = info.requestedPermissions!!.filter { it.startsWith("android.permission.") }.toSet()
        assertEquals(
            setOf(
                Manifest.permission.INTERNET, Manifest.permission.ACCESS_NETWORK_STATE, Manifest.permission.ACCESS_COARSE_LOCATION,
                Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.FOREGROUND_SERVICE, Manifest.permission.FOREGROUND_SERVICE_LOCATION,
                Manifest.permission.POST_NOTIFICATIONS, Manifest.permission.VIBRATE,
                // WorkManager's.
                Manifest.permission.WAKE_LOCK, Manifest.permission.RECEIVE_BOOT_COMPLETED,
            ),
            asked,
        )
        assertEquals(26, app.applicationInfo.minSdkVersion)
    }

    @Test
    fun the_service_is_one_of_location_and_nobody_else_s() {
        val service = packages.getServiceInfo(android.content.ComponentName(app, PatrolService::class.java), 0)
        assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_LOCATION, service.foregroundServiceType)
        assertFalse(service.exported)
    }

    @Test
    fun no_part_of_it_is_of_google_play_services() {
        val flags = PackageManager.GET_SERVICES or PackageManager.GET_PROVIDERS or PackageManager.GET_RECEIVERS or PackageManager.GET_ACTIVITIES
        val info = packages.getPackageInfo(app.packageName, flags)
        val names = listOf(info.services, info.receivers, info.activities).flatMap { it.orEmpty().map { part -> part.name } } + info.providers.orEmpty().map { it.name }
        assertTrue(names.toString(), names.size > 5 && names.none { "com.google.android.gms" in it || "com.google.firebase" in it })
    }
}
