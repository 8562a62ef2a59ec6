#!/usr/bin/env python3
"""Merges an app's manifest with those of its modules and libraries.

    merge_manifests.py --package P --min N --target N APP LIBRARY…

Does of Gradle's merger what this app needs: permissions and components are
united by name, a component's children too; ${applicationId} is filled in;
tools:node="remove" in the app's manifest takes a library's entry out. An
attribute that the app sets stands; a different one from a library is ignored.
"""

import argparse
import copy
import sys
import xml.etree.ElementTree as xml

ANDROID = "http://schemas.android.com/apk/res/android"
TOOLS = "http://schemas.android.com/tools"
NAME = f"{{{ANDROID}}}name"
NODE = f"{{{TOOLS}}}node"
# What of a library's manifest counts; its <uses-sdk> and <queries> aside, the app states those.
TOP = {"uses-permission", "permission", "uses-feature"}


def read(path, package):
    text = open(path, encoding="utf-8").read().replace("${applicationId}", package)
    root = xml.fromstring(text)
    own = root.get("package") or package
    for element in root.iter():
        name = element.get(NAME)
        if name and name.startswith("."):
            element.set(NAME, own + name)
    return root


def same(element, others):
    name = element.get(NAME)
    return next((other for other in others if other.tag == element.tag and name and other.get(NAME) == name), None)


def unite(target, source):
    """Adds to target what source has and it lacks."""
    for child in source:
        if not isinstance(child.tag, str):
            continue
        twin = same(child, target)
        if twin is None:
            # Filters and meta-data without a twin, and whole components.
            if child.get(NODE) != "remove":
                target.append(copy.deepcopy(child))
        elif twin.get(NODE) != "remove":
            for key, value in child.attrib.items():
                if not key.startswith(f"{{{TOOLS}}}"):
                    twin.attrib.setdefault(key, value)
            unite(twin, child)


def strip_tools(element):
    for child in list(element):
        if child.get(NODE) == "remove":
            element.remove(child)
        else:
            strip_tools(child)
    for key in [key for key in element.attrib if key.startswith(f"{{{TOOLS}}}")]:
        del element.attrib[key]


def main():
    parser = argparse.ArgumentParser()
    for option in ("package", "min", "target"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("manifests", nargs="+")
    options = parser.parse_args()
    xml.register_namespace("android", ANDROID)
    app = read(options.manifests[0], options.package)
    app.set("package", options.package)
    application = app.find("application")
    for path in options.manifests[1:]:
        library = read(path, options.package)
        extra = xml.Element("manifest")
        extra.extend(child for child in library if child.tag in TOP)
        unite(app, extra)
        components = library.find("application")
        if components is not None:
            unite(application, components)
    strip_tools(app)
    sdk = app.find("uses-sdk")
    if sdk is None:
        sdk = xml.Element("uses-sdk")
        app.insert(0, sdk)
    sdk.set(f"{{{ANDROID}}}minSdkVersion", options.min)
    sdk.set(f"{{{ANDROID}}}targetSdkVersion", options.target)
    sys.stdout.write('<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(app, encoding="unicode") + "\n")


if __name__ == "__main__":
    main()
