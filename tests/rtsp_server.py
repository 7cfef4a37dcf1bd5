"""An RTSP server on loopback that plays one mp4, for tests. It is run by the system's Python, which has GStreamer.

usage: rtsp_server.py PORT FILE [PATH [USER PASSWORD]]      prints "ready" once it serves rtsp://127.0.0.1:PORT/PATH
PATH is test where it is not given.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ROLE = "viewer"


def serve(port: str, file: Path, path: str = "test", user: str | None = None, password: str | None = None) -> None:
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( filesrc location={file} ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0 )")
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if user is not None:
        ask_for_password(server, factory, user, password)
    server.get_mount_points().add_factory(f"/{path}", factory)
    if not server.attach(None):
        sys.exit(f"port {port} cannot be had")
    print("ready", flush=True)
    GLib.MainLoop().run()


def ask_for_password(server, factory, user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
