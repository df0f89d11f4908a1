# From public ECR, where no account and no pull limit of Docker Hub stands between a commit and its release (pitfall F6).
# To pin it, append @ and the digest that `docker buildx imagetools inspect` prints for it; Dependabot then moves it.
FROM public.ecr.aws/docker/library/python:3.9-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8080

WORKDIR /srv

# The requirements first: they change less often than the service, and their layer is kept.
COPY sample_service/requirements.txt ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements.txt

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
