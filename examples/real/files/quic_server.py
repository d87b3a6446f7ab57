"""A QUIC server of aioquic that answers a number with as many bytes. Run as: quic_server.py CERTIFICATE KEY PORT."""

import asyncio
import sys

from aioquic.asyncio import serve
from aioquic.quic.configuration import QuicConfiguration


async def answer(reader, writer):
    wanted = int(await reader.readline())
    writer.write(bytes(wanted))
    writer.write_eof()


def on_stream(reader, writer):
    asyncio.ensure_future(answer(reader, writer))


async def main(certificate, key, port):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["bytes"])
    configuration.load_cert_chain(certificate, key)
    await serve("::", port, configuration=configuration, stream_handler=on_stream)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
