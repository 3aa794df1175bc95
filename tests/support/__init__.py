"""What tests share: data that is made up, parts that run, and the means to hurt them."""
