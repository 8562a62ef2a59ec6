package org.gridwalk.app

import android.content.res.Configuration
import android.content.res.Resources
import androidx.test.core.app.ApplicationProvider
import java.time.ZoneId
import java.util.Locale
import org.gridwalk.app.words.StatusLook
import org.gridwalk.app.words.Words
import org.gridwalk.app.words.gapWord
import org.gridwalk.app.words.spaced
import org.gridwalk.core.GapCause
import org.gridwalk.shared.R
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class WordsTest {
    private val now = Samples.NOW

    private fun resources(language: Locale): Resources {
        val context = ApplicationProvider.getApplicationContext<android.app.Application>()
        return context.createConfigurationContext(Configuration(context.resources.configuration).apply { setLocale(language) }).resources
    }

    private val zh = Words(resources(Locale.SIMPLIFIED_CHINESE), ZoneId.of("Asia/Shanghai"))
    private val en = Words(resources(Locale.ENGLISH), ZoneId.of("Asia/Shanghai"))

    /** With the thin spaces written out, so that a reader sees them. */
    private fun shown(text: String) = text.replace('\u2009', '_').replace('\u202F', '~')

    @Test
    fun chinese_and_latin_are_kept_apart_once() {
        assertEquals("共_3~次，走_GPS_路线", shown(spaced("共3次，走GPS路线")))
        assertEquals("62%~已走", shown(spaced("62%已走")))
        assertEquals(spaced("共3次"), spaced(spaced("共3次")))
        assertEquals("No 中_A", shown(spaced("No 中A")))
        assertEquals("", spaced(""))
    }

    @Test
    fun an_age_is_in_words_until_it_is_a_day() {
        assertEquals("刚刚", zh.ago(now - 59_000, now))
        assertEquals("1~分钟前", shown(zh.ago(now - 60_000, now)))
        assertEquals("2 h ago", en.ago(now - 2 * 3_600_000 - 1, now))
        assertEquals("2026-11-20 10:42", zh.ago(now - 24 * 3_600_000, now))
    }

    @Test
    fun a_phone_whose_clock_is_ahead_shows_the_date() {
        assertEquals("刚刚", zh.ago(now + 30_000, now))
        assertEquals("2026-11-21 11:42", en.ago(now + 3_600_000, now))
        assertEquals("2026-11-21 10:42:00", zh.exact(now))
    }

    @Test
    fun a_span_has_no_more_units_than_it_needs() {
        assertEquals("45~秒", shown(zh.span(45_000)))
        assertEquals("1~分钟", shown(zh.span(59_600)))
        assertEquals("3~小时_5~分钟", shown(zh.span((3 * 60 + 5) * 60_000L)))
        assertEquals("2 h", en.span(2 * 3_600_000L))
        assertEquals("0~秒", shown(zh.span(-5)))
        assertEquals("1:05", Words.clock(65 * 60_000L))
    }

    @Test
    fun a_distance_is_rounded_as_far_as_it_is_known() {
        assertEquals("430~m", shown(Words.distance(430.4)))
        assertEquals("1.0~km", shown(Words.distance(999.6)))
        assertEquals("3.2~km", shown(Words.distance(3_240.0)))
        assertEquals("128~km", shown(Words.distance(128_000.0)))
        assertEquals("–", Words.distance(Double.NaN))
    }

    @Test
    fun placeholders_are_filled_in_both_languages_in_the_right_order() {
        assertEquals("中断_12~分钟 · 应用被关闭", shown(zh.say(R.string.patrol_gap, zh.span(12 * 60_000), zh.say(gapWord(GapCause.APP_KILLED)))))
        assertEquals("Patrols today: 2, 3.2~km in all", shown(en.say(R.string.today_patrols_done, 2, Words.distance(3_240.0))))
    }

    @Test
    fun every_cause_and_every_state_of_the_wire_has_words() {
        for (cause in GapCause.entries) assert(zh.say(gapWord(cause)) != en.say(gapWord(cause)))
        val wire = listOf("reported", "handled_on_site", "escalated", "accepted", "dispatched", "in_progress", "resolved", "verified", "closed", "rejected")
        assertEquals(wire, StatusLook.entries.map { it.wire })
        assertEquals(null, StatusLook.of("of_a_later_version"))
    }

    @Test
    fun a_name_of_the_catalogue_is_in_the_screen_s_language() {
        assertEquals("消防安全", zh.either("消防安全", "Fire safety"))
        assertEquals("Fire safety", en.either("消防安全", "Fire safety"))
    }
}
