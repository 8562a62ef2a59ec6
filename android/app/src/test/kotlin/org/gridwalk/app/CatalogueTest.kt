package org.gridwalk.app

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Test

/** Gradle builds with the same libraries as the locked list, at the same versions. */
class CatalogueTest {
    private val android = File(System.getProperty("gridwalk.android")!!)
    private val toml = android.resolve("gradle/libs.versions.toml").readLines()
    private val lock = android.resolve("lock.txt").readLines()

    private fun section(name: String) = lock.dropWhile { !it.startsWith("# $name") }.drop(1).takeWhile { !it.startsWith("#") }.filter { it.isNotBlank() }

    private fun tomlSection(name: String) = toml.dropWhile { it != "[$name]" }.drop(1).takeWhile { !it.startsWith("[") }.filter { '=' in it }

    private val versions = tomlSection("versions").associate { line -> line.split('=', limit = 2).map { it.trim().trim('"') }.let { (name, version) -> name to version } }

    /** group:artifact:version without the platform's half of the name. */
    private fun common(group: String, artifact: String, version: String) = "$group:${artifact.removeSuffix("-android").removeSuffix("-jvm")}:$version"

    @Test
    fun the_named_libraries_are_the_catalogue_s() {
        val entry = Regex("""module = "([^:"]+):([^"]+)", version\.ref = "([^"]+)"""")
        val catalogue = tomlSection("libraries").map { line ->
            val (group, artifact, version) = entry.find(line)!!.destructured
            common(group, artifact, versions.getValue(version))
        }
        val locked = (section("app, named") + section("test, named")).map { line -> line.split(':').let { (group, artifact, version) -> common(group, artifact, version) } }
        assertEquals(locked.toSortedSet(), catalogue.toSortedSet())
    }

    @Test
    fun the_compiler_is_the_catalogue_s() {
        val compilers = section("tools").filter { it.startsWith("org.jetbrains.kotlin:kotlin-comp") }.map { it.split(':')[2] }.toSet()
        assertEquals(setOf(versions.getValue("kotlin")), compilers)
        val standard = section("app, brought along").single { it.startsWith("org.jetbrains.kotlin:kotlin-stdlib:") }.split(':')[2]
        assertEquals(versions.getValue("kotlin"), standard)
    }

    @Test
    fun nothing_is_listed_twice_nor_in_two_versions() {
        for (part in listOf("app", "test")) {
            val lines = section("$part, named") + section("$part, brought along")
            val names = lines.map { it.split(':').let { (group, artifact) -> "$group:$artifact" } }
            assertEquals(names.toSet().size, names.size)
        }
    }
}
