# docker build -t valetkey .
# docker run -p 9000:9000 -v valetkey-data:/data valetkey
#
# The root credentials are made at the first start and kept in /data/credentials; or give VALETKEY_ACCESS_KEY
# and VALETKEY_SECRET_KEY_FILE. Every VALETKEY_* setting works. A client that reaches the container by another
# name than it signs for needs VALETKEY_PUBLIC_URLS. With TLS or another VALETKEY_LISTEN, give `docker run` a
# --health-cmd of its own, or --no-healthcheck.

# The Python that the tests run on. For a build that can be repeated to the byte, pin its digest here.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/valetkey \
 && /opt/valetkey/bin/python -m pip install --require-hashes -r requirements/runtime.txt \
 && python -m pip install --require-hashes -r requirements/build.txt
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/valetkey/bin/python -m pip install --no-deps --no-index dist/*.whl \
 && /opt/valetkey/bin/python -m pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Valetkey" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 valetkey \
 && useradd --system --uid 10001 --gid valetkey --no-create-home --home-dir /data --shell /usr/sbin/nologin valetkey \
 && install --directory --owner=valetkey --group=valetkey --mode=0700 /data
COPY --from=build /opt/valetkey /opt/valetkey
ENV PATH=/opt/valetkey/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VALETKEY_DATA=/data \
    VALETKEY_LISTEN=0.0.0.0:9000
USER 10001:10001
VOLUME /data
EXPOSE 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9000/-/health', timeout=4).close()"]
ENTRYPOINT ["valetkey"]
CMD ["serve"]
