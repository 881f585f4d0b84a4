"""Makes pydantic.json: the JSON Schemas of pydantic's types that have a pattern."""

import decimal, json, pathlib
from typing import Annotated, Literal
import pydantic
from pydantic import BaseModel, ByteSize, Field, StringConstraints, TypeAdapter

types = {
    "Decimal": decimal.Decimal,
    "Decimal(max_digits=6, decimal_places=2)": Annotated[decimal.Decimal, Field(max_digits=6, decimal_places=2)],
    "Decimal(max_digits=5)": Annotated[decimal.Decimal, Field(max_digits=5)],
    "Decimal(decimal_places=2)": Annotated[decimal.Decimal, Field(decimal_places=2)],
    "Decimal(max_digits=3, decimal_places=3)": Annotated[decimal.Decimal, Field(max_digits=3, decimal_places=3)],
    "Decimal(max_digits=2, decimal_places=4)": Annotated[decimal.Decimal, Field(max_digits=2, decimal_places=4)],
    "ByteSize": ByteSize,
    "StringConstraints(pattern)": Annotated[str, StringConstraints(pattern=r"^[a-z]+_\d{2,}$")],
    "StringConstraints(to_upper)": Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Z]+$")],
}
out = {}
for name, kind in types.items():
    for mode in ("validation", "serialization"):
        out[f"pydantic {pydantic.VERSION} {name} {mode}"] = TypeAdapter(kind).json_schema(mode=mode)
pathlib.Path(__file__).with_name("pydantic.json").write_text(json.dumps(out, indent=1) + "\n")
