# From public ECR, where no account and no pull limit of Docker Hub stands between a commit and its release (pitfall F6).
# The digest is that of the last 3.9-slim, 3.9.25, on Docker Hub; public ECR has the official images under the same digests.
# Nothing here could pull it yet: `docker buildx imagetools inspect` prints it, and Dependabot moves it.
FROM public.ecr.aws/docker/library/python:3.9-slim@sha256:2d97f6910b16bd338d3060f261f53f144965f755599aab1acda1e13cf1731b1b

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8080

WORKDIR /srv

# The requirements first: they change less often than the service, and their layer is kept. Nothing is installed after them, so
# what installs, and has vulnerabilities of its own, goes.
COPY sample_service/requirements.txt ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements.txt && \
    python -m pip uninstall --yes pip setuptools wheel

COPY sample_service/gunicorn.conf.py ./
COPY sample_service/greeter ./greeter

# Last, because every commit changes it.
ARG GIT_COMMIT
ENV GIT_COMMIT=${GIT_COMMIT}

EXPOSE 8080
# A number, so that no user has to be made: the service writes no file and needs no home.
USER 10001:10001

# The exec form makes gunicorn process 1, which receives the SIGTERM of a task that stops (pitfall N2).
CMD ["gunicorn", "--config", "gunicorn.conf.py", "greeter:create_app()"]
