package org.gridwalk.shared

import org.gridwalk.core.Change
import org.gridwalk.core.IncidentView
import org.gridwalk.core.PatrolView
import org.gridwalk.core.SendState
import org.gridwalk.core.Status
import org.gridwalk.core.Unsent
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

/** A phone that is nobody's. */
internal val nothing = Status(
    identity = null, grids = emptyList(), shift = null, patrol = null, Unsent(0u, 0u, 0u, null), unsealedFixes = 0u, lastContactMs = null, skewMs = null,
    refused = emptyList(), conflicts = 0u, upgradeNeeded = false, signedOut = false, leftUnsent = 0u,
)

/** A snapshot and then differences become one state. */
class EverythingTest {
    private fun incident(id: String, foundMs: Long, send: SendState = SendState.Saved) =
        IncidentView(id, "reported", "other", null, "", null, null, null, null, null, foundMs, emptyList(), emptyList(), emptyList(), 0u, true, send)

    private fun patrol(id: String, startedMs: Long) = PatrolView(id, "active", null, null, null, startedMs, null, 0u, null, null, true, SendState.Saved)

    private fun after(vararg changes: Change): Everything? = changes.fold(null as Everything?, ::next)

    @Test
    fun nothing_is_known_before_the_snapshot() {
        assertNull(after(Change.StatusChanged(nothing), Change.Gone("a")))
    }

    @Test
    fun what_is_new_comes_first_and_what_changed_stays_one() {
        val all = after(
            Change.Snapshot(nothing, listOf(incident("a", 1)), listOf(patrol("p", 1))),
            Change.IncidentChanged(incident("b", 2)),
            Change.IncidentChanged(incident("a", 1, SendState.Sent)),
            Change.PatrolChanged(patrol("q", 2)),
        )!!
        assertEquals(listOf("b", "a"), all.incidents.map { it.id })
        assertEquals(SendState.Sent, all.incidents.last().send)
        assertEquals(listOf("q", "p"), all.patrols.map { it.id })
    }

    @Test
    fun what_is_gone_is_gone_and_a_new_snapshot_replaces_all() {
        val first = Change.Snapshot(nothing, listOf(incident("a", 1), incident("b", 0)), emptyList())
        assertEquals(listOf("b"), after(first, Change.Gone("a"))!!.incidents.map { it.id })
        assertEquals(emptyList<IncidentView>(), after(first, Change.Snapshot(nothing, emptyList(), emptyList()))!!.incidents)
        assertEquals(2, after(first, Change.Closed)!!.incidents.size)
    }
}
