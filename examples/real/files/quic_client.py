"""A QUIC client of aioquic that asks for bytes and counts them. Run as: quic_client.py HOST PORT BYTES."""

import asyncio
import ssl
import sys

from aioquic.asyncio import connect
from aioquic.quic.configuration import QuicConfiguration


async def main(host, port, wanted):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["bytes"], verify_mode=ssl.CERT_NONE)
    async with connect(host, port, configuration=configuration) as client:
        reader, writer = await client.create_stream()
        writer.write(b"%d\n" % wanted)
        writer.write_eof()
        got = len(await reader.read())
    print(got, "bytes over QUIC", flush=True)
    return 0 if got == wanted else 1


sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
