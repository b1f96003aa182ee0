"""A FastAPI service that verifies the access tokens of auth-service and keeps users apart.

Run: pip install -r requirements.txt uvicorn && uvicorn main:app --port 9000, with the
BETTER_AUTH_SECRET and BETTER_AUTH_URL of auth-service."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

secret = os.environ["BETTER_AUTH_SECRET"]
origin = os.environ["BETTER_AUTH_URL"]  # the issuer and the audience of every token
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def owner(user_id: str, bearer: Bearer) -> str:
    try:
        claims = jwt.decode(bearer.credentials, secret, algorithms=["HS256"], leeway=15,
                            issuer=origin, audience=origin, options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError as fault:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"}) from fault
    if claims["sub"] != user_id:
        raise HTTPException(403, "Access denied")
    return user_id


app = FastAPI()


@app.get("/api/{user_id}/notes")
def notes(owner: Annotated[str, Depends(owner)]) -> dict[str, str]:
    return {"notes_of": owner}
