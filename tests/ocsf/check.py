"""Holds lines of JSON to the schema of OCSF as it was published: each to its class and profiles, with nothing beside."""
import json
import sys

import jsonschema_rs
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

schemas, validators, faults = {}, {}, 0


def validator(event):
    version, profiles = event["metadata"]["version"], tuple(sorted(event["metadata"]["profiles"]))
    key = (version, event["class_uid"], profiles)
    if key not in validators:
        if version not in schemas:
            schemas[version] = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
        name = schemas[version].lookup_class_name_from_uid(event["class_uid"])
        validators[key] = jsonschema_rs.validator_for(schemas[version].get_class_schema(name, list(profiles)))
    return validators[key]


def deprecated(schema, event, root, path=""):
    """The attributes of an event that the schema takes, and would rather not see."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(event, list):
        return [found for item in event for found in deprecated(schema.get("items", {}), item, root, path)]
    if not isinstance(event, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{path}/{name}" for name in event if known.get(name, {}).get("deprecated")]
    for name, value in event.items():
        found += deprecated(known.get(name, {}), value, root, f"{path}/{name}")
    return found


count = 0
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    count += 1
    for error in validator(event).iter_errors(event):
        faults += 1
        print(event["activity_name"], event["class_name"], list(error.instance_path), error.message[:300])
    name = schemas[event["metadata"]["version"]].lookup_class_name_from_uid(event["class_uid"])
    root = schemas[event["metadata"]["version"]].get_class_schema(name, event["metadata"]["profiles"])
    for path in deprecated(root, event, root):
        faults += 1
        print(event["activity_name"], event["class_name"], path, "is deprecated")
print(count, "events,", faults, "faults")
sys.exit(1 if faults or not count else 0)
