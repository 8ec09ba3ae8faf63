"""What every vendor's connector is built from; see `model` for the declarations and the interface."""
