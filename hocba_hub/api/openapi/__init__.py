"""What the OpenAPI document says beyond the routers' own types: bodies that are streamed, problems, examples."""
