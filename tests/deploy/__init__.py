"""What is needed to run it elsewhere: image, compose files, manifests, stopping in order, and seeing inside."""
