# IVAN as a demo that anyone can open; `compose.yaml` runs it for a team. The handbook's chapter
# "Demo" tells how to build and run it.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
# PyTorch as the package index has it for Linux brings 2.5 GB of CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python3 -m venv /opt/ivan
WORKDIR /src
COPY constraints.txt ./
RUN /opt/ivan/bin/pip install --no-cache-dir --no-deps --index-url "${TORCH_INDEX}" "$(grep '^torch==' constraints.txt)"
COPY . .
RUN /opt/ivan/bin/pip install --no-cache-dir --constraint constraints.txt '.[figures,login,postgres]'

FROM ${BASE}
RUN useradd --uid 1000 --no-create-home --home-dir /data ivan && install -d -o ivan -g ivan -m 700 /data \
    && install -d /srv/.streamlit
COPY --from=build /opt/ivan /opt/ivan
# Inside the container it listens everywhere: what is published, and where, is said outside. Nobody
# in here is a person at this machine.
ENV PATH="/opt/ivan/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    HF_HOME=/data/hub \
    IVAN_DATA_DIR=/data/ivan \
    IVAN_BEHIND_PROXY=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0
USER ivan
WORKDIR /srv
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["ivan", "app", "--public", "--data", "/data/ivan", "--port", "8501"]
