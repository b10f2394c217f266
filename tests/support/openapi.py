#!/usr/bin/env python3
# Is ra/openapi.yaml right, and does the RA do what it says?
#   openapi.py check DOCUMENT SCHEMA
#   openapi.py response DOCUMENT SCHEMA METHOD TEMPLATE STATUS HEADERS BODY SEEN
#       one real answer: documented, of its media type and its schema; noted in the file SEEN
#   openapi.py coverage DOCUMENT SCHEMA SEEN
#       every operation gave each of its documented answers
import json, sys, warnings
import yaml

warnings.simplefilter("ignore", DeprecationWarning)  # RefResolver, which Debian 12 has
import jsonschema

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "trace"}


def fail(why):
    sys.exit(f"openapi: {why}")


def resolve(document, reference):
    if not reference.startswith("#/"):
        fail(f"{reference}: not inside the document")
    node = document
    for part in reference[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if part not in node:
            fail(f"{reference}: leads nowhere")
        node = node[part]
    return node


def deref(document, node):
    return resolve(document, node["$ref"]) if "$ref" in node else node


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, item, operation


def validator(document, registration, schema):
    # "#/components/..." of a schema is meant in the whole document
    base = "http://openapi.invalid/"
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": base + "openapi.yaml",
             "components": document["components"], "allOf": [schema]}
    absolute = dict(registration, **{"$id": base + "registration.schema.json"})
    resolver = jsonschema.RefResolver(base + "openapi.yaml", whole, store={absolute["$id"]: absolute})
    return jsonschema.Draft202012Validator(whole, resolver=resolver)


def walk(document, node, where):
    if isinstance(node, dict):
        if "$ref" in node and node["$ref"] != "registration.schema.json":
            resolve(document, node["$ref"])
        for key, value in node.items():
            walk(document, value, f"{where}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            walk(document, value, f"{where}/{i}")


def check(document, registration):
    jsonschema.Draft202012Validator.check_schema(registration)
    if document.get("openapi") != "3.1.0" or not {"title", "version"} <= document["info"].keys():
        fail("openapi must be 3.1.0, info must have title and version")
    unknown = document.keys() - {"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks",
                                 "components", "security", "tags", "externalDocs"}
    if unknown:
        fail(f"unknown fields {unknown}")
    walk(document, document, "#")
    for name, schema in document["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as e:
            fail(f"schema {name}: {e.message}")
    ids = set()
    for path, method, item, operation in operations(document):
        where = f"{method} {path}"
        if not path.startswith("/") or not operation.get("responses"):
            fail(f"{where}: no responses")
        if operation.get("operationId") in ids or "operationId" not in operation:
            fail(f"{where}: operationId is missing or there twice")
        ids.add(operation["operationId"])
        parameters = item.get("parameters", []) + operation.get("parameters", [])
        for p in parameters:
            if not {"name", "in", "schema"} <= p.keys() or p["in"] not in {"query", "path", "header"}:
                fail(f"{where}: parameter {p}")
            if p["in"] == "path" and (not p.get("required") or "{%s}" % p["name"] not in path):
                fail(f"{where}: path parameter {p['name']}")
            jsonschema.Draft202012Validator.check_schema(p["schema"])
        for part in path.split("/"):
            if part.startswith("{") and part[1:-1] not in {p["name"] for p in parameters if p["in"] == "path"}:
                fail(f"{where}: {part} is no parameter")
        for status, response in operation["responses"].items():
            if "description" not in deref(document, response):
                fail(f"{where} {status}: no description")
        for need in operation.get("security", document.get("security", [])):
            if need.keys() - document["components"]["securitySchemes"].keys():
                fail(f"{where}: security {need}")


def response(document, registration, method, template, status, headers, body, seen):
    item = document["paths"].get(template) or fail(f"{template} is not documented")
    operation = item.get(method.lower()) or fail(f"{method} {template} is not documented")
    if status not in operation["responses"]:
        fail(f"{method} {template}: {status} is not documented: {open(body).read()[:300]}")
    answer = deref(document, operation["responses"][status])
    lines = dict(l.rstrip("\r\n").split(": ", 1) for l in open(headers) if ": " in l)
    lines = {k.lower(): v for k, v in lines.items()}
    for name, header in answer.get("headers", {}).items():
        if header.get("required") and name.lower() not in lines:
            fail(f"{method} {template} {status}: no {name}")
        if name.lower() in lines:
            validator(document, registration, header["schema"]).validate(lines[name.lower()])
    media = lines["content-type"].split(";")[0]
    if media not in answer["content"]:
        fail(f"{method} {template} {status}: Content-Type {media} is not documented")
    value = json.load(open(body))
    try:
        validator(document, registration, answer["content"][media]["schema"]).validate(value)
    except jsonschema.ValidationError as e:
        fail(f"{method} {template} {status}: {e.json_path}: {e.message}")
    if media == "application/problem+json" and str(value["status"]) != status:
        fail(f"{method} {template}: status {status}, but the problem says {value['status']}")
    with open(seen, "a") as f:
        print(method.lower(), template, status, file=f)


def coverage(document, seen):
    have = {tuple(line.split()) for line in open(seen)}
    want = {(method, path, status) for path, method, _, operation in operations(document)
            for status in operation["responses"]}
    if want - have:
        fail(f"not seen: {sorted(want - have)}")


command, document, registration = sys.argv[1], yaml.safe_load(open(sys.argv[2])), json.load(open(sys.argv[3]))
if command == "check":
    check(document, registration)
elif command == "response":
    response(document, registration, *sys.argv[4:])
elif command == "coverage":
    coverage(document, *sys.argv[4:])
else:
    fail(f"no command {command}")
