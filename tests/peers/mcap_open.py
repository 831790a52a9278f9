"""Opens a stream with the public MCAP reader and decodes what viewers decode.

Usage: python mcap_open.py FILE.mcap
Packages: mcap, mcap-protobuf-support; rerun-sdk where it is there.
"""

import json
import sys

from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory


def main(path):
    counts, fields, pictures = {}, {}, 0
    with open(path, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
        metadata = {record.name: dict(record.metadata) for record in reader.iter_metadata()}
        for schema, channel, message in reader.iter_messages():
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
            if channel.message_encoding == "json":
                json.loads(message.data)
        for schema, channel, message, decoded in reader.iter_decoded_messages(
            topics=[topic for topic in counts if not topic.startswith("/vola/")]
        ):
            if channel.topic not in fields:
                fields[channel.topic] = str(decoded)[:200] if schema.name != "foxglove.CompressedImage" else {
                    "format": decoded.format,
                    "png": decoded.data[:4] == b"\x89PNG",
                    "frame_id": decoded.frame_id,
                }
            pictures += schema.name == "foxglove.CompressedImage"
    told = {"counts": counts, "fields": fields, "pictures": pictures, "metadata": sorted(metadata)}
    try:
        import rerun

        told["rerun"] = rerun.__version__
    except ImportError:
        pass
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
